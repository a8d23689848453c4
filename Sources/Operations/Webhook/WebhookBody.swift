import FoundationEssentials
import SyncCore

/// Reads the keys of changed users out of a message.
///
/// It takes nothing else from it: a profile comes from the database alone.
struct WebhookBody: Sendable {
    let paths: [KeyPath]

    /// Why there are no keys.
    enum Problem: Error, Sendable, Hashable {
        case notJSON
        /// No path leads to a key.
        case noKey
        /// A path leads to something that can't be a key: an object, a truth value, a number with a fraction, or a
        /// text that is empty, too long, or has a NUL.
        case notAKey
        case tooManyKeys
    }

    static let mostKeys = 1000
    private static let longestKey = 1024

    func keys(in bytes: [UInt8]) throws(Problem) -> [UserKey] {
        guard let value = MessageValue.parse(bytes) else { throw .notJSON }
        var found: [UserKey] = []
        var seen: Set<UserKey> = []
        for path in paths {
            try collect(value, path.names[...]) { key throws(Problem) in
                guard seen.insert(key).inserted else { return }
                guard found.count < WebhookBody.mostKeys else { throw .tooManyKeys }
                found.append(key)
            }
        }
        guard !found.isEmpty else { throw .noKey }
        return found
    }

    /// Follows the names. What isn't there, or is null, is no mistake: another path may lead to a key.
    private func collect(
        _ value: MessageValue, _ names: ArraySlice<Substring>, _ take: (UserKey) throws(Problem) -> Void
    ) throws(Problem) {
        switch value {
        case .list(let members):
            for member in members { try collect(member, names, take) }
        case .object(let members):
            guard let name = names.first else { throw .notAKey }
            guard let next = members[String(name)] else { return }
            try collect(next, names.dropFirst(), take)
        case .text(let text):
            guard names.isEmpty else { return }
            guard !text.isEmpty, text.utf8.count <= WebhookBody.longestKey, !text.utf8.contains(0) else {
                throw .notAKey
            }
            try take(UserKey(text))
        case .other:
            if names.isEmpty { throw .notAKey }
        case .null: return
        }
    }
}

/// A JSON value, as far as a key may be in it.
enum MessageValue: Decodable, Sendable, Hashable {
    case null
    /// A string, or a whole number with all its digits.
    case text(String)
    /// A truth value, or a number with a fraction.
    case other
    case list([MessageValue])
    case object([String: MessageValue])

    static func parse(_ bytes: [UInt8]) -> MessageValue? {
        try? JSONDecoder().decode(MessageValue.self, from: Data(bytes))
    }

    /// Containers are tried first: of them there are few, and a wrong guess costs an error.
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let number = try? value.decode(Int64.self) {
            self = .text(String(number))
        } else if let members = try? value.decode([String: MessageValue].self) {
            self = .object(members)
        } else if (try? value.decode(Bool.self)) != nil {
            self = .other
        } else if let number = try? value.decode(Decimal.self) {
            self = MessageValue(number)
        } else {
            self = .list(try value.decode([MessageValue].self))
        }
    }

    private init(_ number: Decimal) {
        let text = "\(number)"
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        // Decimals have 38 digits; what is longer was rounded, and so is another key.
        let isWhole = (1...38).contains(digits.utf8.count) && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        self = isWhole ? .text(text) : .other
    }
}
