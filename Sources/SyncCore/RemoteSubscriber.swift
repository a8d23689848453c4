/// A subscriber as SignalWire's list shows it.
///
/// It holds what a person is called and reached by, so it prints redacted.
public struct RemoteSubscriber: Sendable, CustomStringConvertible, CustomReflectable {
    /// The id in the paths of the resource endpoints. Another one than the subscriber's own; where it isn't a uuid, `nil`.
    public let resource: ResourceID?
    public let id: SubscriberID
    /// What the list calls `email`. `nil` where it is blank or isn't trimmed: no call of ours could name it.
    public let reference: Reference?
    /// What each field holds, an empty text where it is blank. One that the answer leaves out has no entry, so nobody
    /// knows what it holds: the list never shows `region`.
    public let fields: [ProfileField: String]

    public init(
        resource: ResourceID?, id: SubscriberID, reference: Reference?, fields: [ProfileField: String]
    ) {
        self.resource = resource
        self.id = id
        self.reference = reference
        self.fields = fields
    }

    public var description: String { "‹subscriber \(id)›" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The id by which the resource endpoints know a subscriber, in 16 bytes. It tells nothing about a person.
public struct ResourceID: Sendable, Hashable, CustomStringConvertible {
    let uuid: PackedUUID

    /// `nil` unless the text has the shape of a uuid.
    public init?(_ raw: String) {
        guard let uuid = PackedUUID(raw) else { return nil }
        self.uuid = uuid
    }

    init(_ uuid: PackedUUID) { self.uuid = uuid }

    public var description: String { uuid.text }
}

/// A uuid as two numbers: a text of it would be five times as long.
struct PackedUUID: Sendable, Hashable {
    let high: UInt64
    let low: UInt64

    init?(_ text: String) {
        guard let checked = SubscriberID(text) else { return nil }
        self.init(checked)
    }

    init(_ id: SubscriberID) {
        let digits = id.text.filter { $0 != "-" }
        high = UInt64(digits.prefix(16), radix: 16) ?? 0
        low = UInt64(digits.suffix(16), radix: 16) ?? 0
    }

    var text: String {
        let digits = Array(PackedUUID.hex(high) + PackedUUID.hex(low))
        let groups = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        return groups.map { String($0) }.joined(separator: "-")
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
