import Crypto
import SyncCore

/// Everything that decides the request for a row, setting by setting: agents with equal outlines send the same.
///
/// A new setting that changes what is sent belongs into `init(of:rules:)`, and nowhere else: from there it is compared,
/// written down, and shown by `status`. One that is at its default is left out, so that an upgrade alone changes nothing.
public struct MappingOutline: Sendable, Hashable {
    /// One setting.
    struct Item: Sendable, Hashable {
        /// Its path, as in the settings file.
        let name: String
        let text: String
        /// What `status` shows of it: names of columns and tables, and choices. `nil`: it may hold a value, so that it
        /// changed is all that is said.
        let shown: String?

        init(_ name: String, _ text: String, isShown: Bool = true) {
            self.name = name
            self.text = text
            shown = isShown ? text : nil
        }

        var digest: String { hex(SHA256.hash(data: Array(text.utf8)).prefix(8)) }
    }

    let items: [Item]

    public init(of mapping: SourceMapping, rules: PushRules) {
        var items = [
            Item("source.table", mapping.table.description), Item("source.key", mapping.key),
            Item("source.reference", mapping.reference),
        ]
        if let scope = mapping.scope { items.append(Item("source.where", scope, isShown: false)) }
        if let profile = mapping.profile { items.append(Item("source.profile", profile.description)) }
        items += mapping.orderedFields.map { field in
            let text = mapping.fields[field] ?? ""
            return Item("source.fields.\(field.rawValue)", text, isShown: !SourceMapping.isExpression(text))
        }
        if rules.cleared != PushRules().cleared { items.append(Item("values.cleared", rules.cleared.rawValue)) }
        self.items = items + Self.values(of: mapping)
    }

    /// What becomes of the columns' texts. A choice about a field that is never sent decides nothing.
    private static func values(of mapping: SourceMapping) -> [Item] {
        let (rules, usual) = (mapping.values, ValueRules())
        let sent = mapping.sentFields
        var items = rules.constants.sorted { $0.key < $1.key }.map { field, text in
            Item("source.constants.\(field.rawValue)", text, isShown: false)
        }
        if rules.invalidTimeZone != usual.invalidTimeZone, sent.contains(.timeZone) {
            items.append(Item("values.invalid_time_zone", rules.invalidTimeZone.rawValue))
        }
        if rules.country != usual.country, sent.contains(.country) {
            items.append(Item("values.country", rules.country.rawValue))
        }
        if rules.displayName != usual.displayName {
            items.append(Item("values.display_name", rules.displayName.rawValue))
        }
        return items
    }

    /// Of the whole. The lengths keep "ab", "c" and "a", "bc" apart.
    var digest: String {
        var hash = SHA256()
        for part in items.flatMap({ [$0.name, $0.text] }) {
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(part.utf8))
        }
        return hex(hash.finalize().prefix(8))
    }
}

/// Bytes as text, two digits each.
func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
