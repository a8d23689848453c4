/// One subscriber as the sandbox holds it.
public struct SandboxSubscriber: Sendable, Hashable, Codable {
    /// What the caller identifies it by; the resource endpoints call it `email`.
    public internal(set) var reference: String
    /// The id that `create_subscriber_token` answers with; stays the same for one reference.
    public let subscriberID: String
    /// The id that the resource endpoints use in their paths. It is another one on purpose, as at SignalWire.
    public let resourceID: String
    /// The last value of each field that was ever sent, by its name in `create_subscriber_token`.
    ///
    /// A field that was sent as `""` is here as `""`; one that was never sent is absent. `region`,
    /// which SignalWire takes as a routing override, is noted like the others.
    public internal(set) var profile: [String: String]
    /// How many requests created or changed it. A token minted without any field counts too.
    public internal(set) var upserts: Int
    /// The order of creation, from 1; never used again.
    public let number: Int
    /// Unix seconds.
    public let createdAt: Double
    /// Unix seconds.
    public internal(set) var updatedAt: Double

    enum CodingKeys: String, CodingKey {
        case reference, profile, upserts, number
        case subscriberID = "subscriber_id"
        case resourceID = "resource_id"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}
