/// A user's profile in the words it is sent in: the fields that have a value, trimmed.
///
/// It holds what people are called and where they work, so it prints redacted, whoever asks.
public struct Profile: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The fields that have a value. A blank or null column has no entry.
    public let values: [ProfileField: String]

    /// Reads a profile from the columns as the database has them.
    ///
    /// - Parameter columns: the text of each mapped column; `nil` for NULL.
    public init(columns: [ProfileField: String?]) {
        values = columns.compactMapValues { column in
            guard let column else { return nil }
            let clean = trimmingWhitespace(replacingControls(column))
            return clean.isEmpty ? nil : clean
        }
    }

    public var description: String { "‹profile of \(values.count) fields›" }
    public var customMirror: Mirror { Mirror(self, children: []) }
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
