import FoundationEssentials
import SyncCore

/// A live token, for whoever asked for one by hand. Its fields can be read, but it prints redacted.
public struct MintedToken: Sendable {
    /// What came of asking for a token.
    public enum Result: Sendable {
        case minted(MintedToken)
        /// The same answer that a push would have met; never `accepted`.
        case refused(PushAnswer)
    }

    public let subscriberID: SubscriberID
    /// A credential: whoever holds it is that subscriber until it expires.
    public let token: String
    /// A credential that outlives the first. Older answers may come without one.
    public let refreshToken: String?
    /// Unix seconds, as it was asked for.
    public let expiresAt: Int64
}

extension MintedToken {
    /// Reads the answer, tokens and all: the only place that does. `nil` where it lacks one.
    init?(body: Data, expiresAt: Int64) {
        struct Body: Decodable {
            let subscriber_id: String
            let token: String
            let refresh_token: String?
        }
        guard let body = try? JSONDecoder().decode(Body.self, from: body), !body.token.isEmpty,
            let subscriberID = SubscriberID(body.subscriber_id)
        else { return nil }
        self.init(
            subscriberID: subscriberID, token: body.token, refreshToken: body.refresh_token, expiresAt: expiresAt)
    }
}

extension MintedToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "‹token of subscriber \(subscriberID)›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
