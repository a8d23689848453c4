/// What is remembered of a subscriber in SignalWire's list: who it is, and for each field a hash instead of the value.
///
/// The hashes hold for one run of the program and are kept nowhere.
public struct RemoteRecord: Sendable {
    public let id: SubscriberID
    /// As SignalWire spells it; `nil` where no call could name it.
    public let reference: Reference?
    let hashes: FieldHashes

    public init(_ remote: RemoteSubscriber) {
        self.init(id: remote.id, reference: remote.reference, hashes: FieldHashes(remote.fields))
    }

    init(id: SubscriberID, reference: Reference?, hashes: FieldHashes) {
        self.id = id
        self.reference = reference
        self.hashes = hashes
    }

    /// How one field stands beside what a profile has for it.
    public enum FieldState: String, Sendable {
        case same, differs
        /// The list doesn't show the field.
        case unknown
    }

    public func state(of field: ProfileField, beside profile: Profile) -> FieldState {
        switch hashes[field] {
        case .unknown: .unknown
        case .blank: profile.values[field] == nil ? .same : .differs
        case .value(let hash): profile.values[field].map(FieldHashes.hash) == hash ? .same : .differs
        }
    }

    /// What SignalWire has, in the words of what it was told: so a plan made of it is the difference.
    ///
    /// - Parameters:
    ///   - profile: what the row says, with its digests.
    ///   - told: what holds for fields that the list doesn't show.
    func told(beside profile: Profile, _ digests: ProfileDigests, otherwise told: Told) -> Told {
        var result: Told = [:]
        for field in digests.empty.keys {
            switch hashes[field] {
            case .unknown: result[field] = told[field]
            case .blank: break
            case .value:
                let isSame = state(of: field, beside: profile) == .same
                result[field] = isSame ? digests.values[field].map(FieldDigest.known) ?? .unknown : .unknown
            }
        }
        return result
    }
}

/// One hash for each field, in the order of `ProfileField`.
struct FieldHashes: Sendable, Hashable {
    enum Entry: Equatable {
        case unknown, blank
        case value(UInt64)
    }

    static let count = ProfileField.allCases.count

    /// As many as there are fields.
    let numbers: [UInt64]

    init(_ fields: [ProfileField: String]) {
        numbers = ProfileField.allCases.map { field in
            fields[field].map { $0.isEmpty ? FieldHashes.blank : FieldHashes.hash($0) } ?? FieldHashes.unknown
        }
    }

    init(_ numbers: some Sequence<UInt64>) { self.numbers = Array(numbers) }

    subscript(field: ProfileField) -> Entry {
        guard let index = ProfileField.allCases.firstIndex(of: field), index < numbers.count else { return .unknown }
        switch numbers[index] {
        case FieldHashes.unknown: return .unknown
        case FieldHashes.blank: return .blank
        case let hash: return .value(hash)
        }
    }

    private static let unknown: UInt64 = 0
    private static let blank: UInt64 = 1

    /// Above the two that mean something else. Texts that Unicode calls equal have one hash.
    static func hash(_ value: String) -> UInt64 {
        max(UInt64(bitPattern: Int64(value.hashValue)), blank + 1)
    }
}
