import FoundationEssentials

/// `SubscriberTokenResponse`. Without `subscriberID` it is the body of the fault that leaves the id out, and
/// of a refresh.
struct TokenResponse: Encodable {
    let subscriberID: String?
    let token: String
    let refreshToken: String

    enum CodingKeys: String, CodingKey {
        case token
        case subscriberID = "subscriber_id"
        case refreshToken = "refresh_token"
    }

    /// A new pair of tokens for a subscriber.
    ///
    /// - Parameter expiresAt: when the access token ends, in Unix seconds.
    init(for subscriberID: String, namingIt isNamed: Bool, expiresAt: Double, at now: Double) {
        self.subscriberID = isNamed ? subscriberID : nil
        token = SandboxToken.mint(.access, subscriberID: subscriberID, expiresAt: expiresAt)
        refreshToken = SandboxToken.mint(
            .refresh, subscriberID: subscriberID, expiresAt: now + SandboxToken.refreshLifetimeSeconds)
    }
}

/// `SubscriberResponse`: the resource, with the subscriber inside.
struct ResourceResponse: Encodable {
    /// `Subscriber`. Nothing in it is null: a field that was never set is empty.
    struct Inner: Encodable {
        let id, email, firstName, lastName, displayName, jobTitle, timezone, country, companyName: String

        enum CodingKeys: String, CodingKey {
            case id, email, timezone, country
            case firstName = "first_name"
            case lastName = "last_name"
            case displayName = "display_name"
            case jobTitle = "job_title"
            case companyName = "company_name"
        }
    }

    let id, projectID, displayName, createdAt, updatedAt: String
    let type = "subscriber"
    let subscriber: Inner

    enum CodingKeys: String, CodingKey {
        case id, type, subscriber
        case projectID = "project_id"
        case displayName = "display_name"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    init(_ held: SandboxSubscriber, projectID: String) {
        let field = { held.profile[$0] ?? "" }
        id = held.resourceID
        self.projectID = projectID
        displayName = field("display_name")
        createdAt = Date(timeIntervalSince1970: held.createdAt).formatted(.iso8601)
        updatedAt = Date(timeIntervalSince1970: held.updatedAt).formatted(.iso8601)
        subscriber = Inner(
            id: held.subscriberID, email: held.reference, firstName: field("first_name"),
            lastName: field("last_name"), displayName: field("display_name"), jobTitle: field("job_title"),
            timezone: field("time_zone"), country: field("country"), companyName: field("company_name"))
    }
}

/// `SubscriberListResponse`.
struct ListResponse: Encodable {
    /// Links to pages, absolute. `next` is absent on the last page, `prev` on the first.
    struct Links: Encodable {
        let this, first: String
        let next, prev: String?

        enum CodingKeys: String, CodingKey {
            case first, next, prev
            case this = "self"
        }
    }

    let data: [ResourceResponse]
    let links: Links
}
