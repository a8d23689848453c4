/// A subscriber that is to be there already, or to hold something else than it was told.
public struct SandboxSeed: Sendable, Hashable, Decodable {
    public let reference: String
    /// Fields by their names in `create_subscriber_token`. Those of a subscriber that exists stay where none is given.
    public let profile: [String: String]

    public init(_ reference: String, _ profile: [String: String] = [:]) {
        self.reference = reference
        self.profile = profile
    }

    private enum Key: CodingKey {
        case reference, profile
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        reference = try members.decode(String.self, forKey: .reference)
        profile = try members.decodeIfPresent([String: String].self, forKey: .profile) ?? [:]
    }
}
