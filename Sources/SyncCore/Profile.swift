/// A user's profile in the words it is sent in: the fields that have a value, as the rules make them of the columns.
///
/// It holds what people are called and where they work, so it prints redacted, whoever asks.
public struct Profile: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The fields that have a value. A blank or null column has no entry, unless something stands in for it.
    public let values: [ProfileField: String]
    /// Whether the column has a time zone that nobody knows, and it is left out: neither sent nor cleared.
    public let omitsTimeZone: Bool
    /// Why the user can't be pushed as the row stands; `nil`: nothing in the profile keeps them from it.
    public let holdReason: HoldReason?

    /// Reads a profile from the columns as the database has them.
    ///
    /// - Parameter columns: the text of each mapped column; `nil` for NULL.
    public init(columns: [ProfileField: String?], rules: ValueRules = ValueRules()) {
        guard columns.values.allSatisfy({ ($0?.utf8.count ?? 0) <= ValueRules.longestValueBytes }) else {
            (values, omitsTimeZone, holdReason) = ([:], false, .valueTooLong)
            return
        }
        var values = columns.compactMapValues { column in column.map(cleaned).flatMap { $0.isEmpty ? nil : $0 } }
        values[.displayName] = values[.displayName] ?? rules.displayName(of: values)
        values.merge(rules.constants) { column, _ in column }
        values[.country] = values[.country].map(rules.country(of:))
        let zone = values[.timeZone].map(rules.timeZone(of:))
        values[.timeZone] = zone?.sent
        self.values = values
        omitsTimeZone = zone == .omitted
        holdReason = zone == .held ? .invalidTimeZone : nil
    }

    public var description: String { "‹profile of \(values.count) fields›" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// What the log says of a field that was left out; `nil`: none was.
    var omission: Problem? {
        guard omitsTimeZone else { return nil }
        return Problem(
            code: HoldReason.invalidTimeZone.rawValue,
            message: "The time zone is left out: it is no name of the tz database, nor one that is translated into one."
        )
    }
}

/// A short, keyed hash of what one field was told to be: enough to see a change, too little to read one.
///
/// `unknown` stands for a field that SignalWire was sent, or may have been, without our knowing
/// which value it has now. It differs from every value.
public enum FieldDigest: Sendable, Hashable {
    case known(UInt64)
    case unknown
}

/// What SignalWire was last told about one user: a digest for each field that was ever sent.
///
/// A field without an entry was never sent, so a blank one needs no clearing.
public typealias Told = [ProfileField: FieldDigest]

/// The digest of each field of a profile, and the digest of a cleared one.
///
/// It is computed outside of this module (which has no hash of its own) and handed in with the claim.
public struct ProfileDigests: Sendable, Hashable {
    /// A digest for each field of the profile that has a value.
    public let values: [ProfileField: UInt64]
    /// For each mapped field, the digest of its being empty.
    public let empty: [ProfileField: UInt64]

    public init(values: [ProfileField: UInt64], empty: [ProfileField: UInt64]) {
        self.values = values
        self.empty = empty
    }
}
