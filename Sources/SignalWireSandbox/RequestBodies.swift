/// The body of `create_subscriber_token`.
struct TokenRequest: Sendable, Hashable {
    let reference: String
    /// The profile fields that were sent, by their names.
    let profile: [String: String]
    /// Unix seconds; `nil` is two hours from now.
    let expiresAt: Int?

    static let profileFields = [
        "first_name", "last_name", "display_name", "job_title", "time_zone", "country", "region", "company_name",
    ]

    /// `SubscriberTokenRequest` of SignalWire's OpenAPI document.
    static let schema = Schema(
        [
            .init("reference", .nonBlankText, required: true), .init("expire_at", .futureTime),
            .init("application_id", .uuid), .init("password", .text), .init("fingerprint", .fingerprint),
            .init("scope", .oneOf(["sat:refresh"])),
        ] + profileFields.map { .init($0, $0 == "region" ? .oneOf(["us-central"]) : .text) })

    /// - Parameter members: what the schema found nothing wrong with.
    init(_ members: [String: JSONValue]) {
        reference = members["reference"]?.text ?? ""
        profile = members.texts(Self.profileFields)
        if case .integer(let seconds) = members["expire_at"] { expiresAt = seconds } else { expiresAt = nil }
    }
}

/// The body of `refresh_subscriber_token`.
struct RefreshRequest: Sendable, Hashable {
    let refreshToken: String

    /// `SubscriberRefreshTokenRequest` of SignalWire's OpenAPI document.
    static let schema = Schema([.init("refresh_token", .nonBlankText, required: true)])

    init(_ members: [String: JSONValue]) {
        refreshToken = members["refresh_token"]?.text ?? ""
    }
}

/// The body that creates and updates a subscriber as a resource. `timezone` is spelled so here.
struct ResourceRequest: Sendable, Hashable {
    let email: String
    /// The profile fields that were sent, by the names of `create_subscriber_token`.
    let profile: [String: String]

    private static let profileFields = [
        "first_name", "last_name", "display_name", "job_title", "timezone", "country", "company_name",
    ]

    /// `SubscriberRequest` of SignalWire's OpenAPI document.
    static let schema = Schema(
        [.init("email", .nonBlankText, required: true), .init("password", .length(8...72))]
            + profileFields.map { .init($0, .text) })

    init(_ members: [String: JSONValue]) {
        email = members["email"]?.text ?? ""
        var profile = members.texts(Self.profileFields)
        profile["time_zone"] = profile.removeValue(forKey: "timezone")
        self.profile = profile
    }
}

extension [String: JSONValue] {
    /// The texts among the named members.
    fileprivate func texts(_ names: [String]) -> [String: String] {
        var texts: [String: String] = [:]
        for name in names { texts[name] = self[name]?.text }
        return texts
    }
}
