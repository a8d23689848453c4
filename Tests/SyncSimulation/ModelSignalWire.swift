import SyncCore

/// A model of SignalWire's subscribers: known by their exact reference, their fields set or updated.
public struct ModelSignalWire: Sendable {
    /// One billed subscriber.
    public struct Subscriber: Sendable, Hashable {
        public let id: SubscriberID
        public internal(set) var fields: [ProfileField: String]
        /// For whom the call was that created it.
        public let creator: UserKey
    }

    public private(set) var subscribers: [String: Subscriber] = [:]

    public init() {}

    /// A request lands and is applied.
    ///
    /// - Returns: the subscriber's id; `nil` only where the model ran out of ids.
    public mutating func land(_ push: Push, for user: UserKey) -> SubscriberID? {
        if subscribers[push.reference.text] == nil {
            guard let id = Self.id(number: subscribers.count + 1) else { return nil }
            subscribers[push.reference.text] = Subscriber(id: id, fields: [:], creator: user)
        }
        subscribers[push.reference.text]?.fields.merge(push.fields) { _, new in new }
        return subscribers[push.reference.text]?.id
    }

    private static func id(number: Int) -> SubscriberID? {
        let digits = String(number, radix: 16)
        return SubscriberID(
            "5b000000-0000-4000-8000-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits)
    }
}
