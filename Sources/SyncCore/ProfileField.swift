/// A field of a subscriber's profile, by the name it has in SignalWire's `create_subscriber_token`.
///
/// `password` is left out on purpose: a users table holds hashes, and this tool never sends one.
public enum ProfileField: String, CaseIterable, Sendable, Hashable, Comparable {
    case firstName = "first_name"
    case lastName = "last_name"
    case displayName = "display_name"
    case jobTitle = "job_title"
    case companyName = "company_name"
    case timeZone = "time_zone"
    case country
    /// Once a profile field; since 2026 a routing override that accepts only `us-central`.
    case region

    /// What an operator should know who sends this field; `nil`: nothing.
    public var caution: String? {
        switch self {
        case .region:
            "SignalWire takes region for a routing override, and only us-central is accepted; leave it out unless that "
                + "is what you want"
        case .firstName, .lastName, .displayName, .jobTitle, .companyName, .timeZone, .country: nil
        }
    }

    /// The order in which fields are listed everywhere: in requests, in logs, on the screen.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .firstName: 0
        case .lastName: 1
        case .displayName: 2
        case .jobTitle: 3
        case .companyName: 4
        case .timeZone: 5
        case .country: 6
        case .region: 7
        }
    }
}
