import Hummingbird

/// What a sender is told. It quotes nothing of the message.
struct WebhookAnswer: Error, Sendable, Hashable {
    let status: Int
    let line: String
    /// Seconds after which it may be tried again, where that helps.
    var retryAfter: Int?

    static let statuses = [202, 400, 401, 413, 429, 503]

    static let taken = Self(status: 202, line: "taken")
    static let unsigned = Self(
        status: 401, line: "the headers webhook-id, webhook-timestamp and webhook-signature are missing or malformed")
    static let stale = Self(status: 401, line: "webhook-timestamp is more than five minutes off")
    static let forged = Self(status: 401, line: "no signature fits one of the secrets")
    static let tooLarge = Self(
        status: 413, line: "the body is larger than \(WebhookEndpoint.largestBody / 1024) KiB")
    static let cut = Self(status: 400, line: "the body did not come in time, or not whole")
    static let crowded = Self(status: 503, line: "too many messages at the same time", retryAfter: 1)
    static let tooOften = Self(status: 429, line: "more messages a second than webhook.rate", retryAfter: 1)
    static let invalidKey = Self(status: 400, line: "a key is not of the type of source.key")
    static let unavailable = Self(status: 503, line: "the database did not take it; send it again", retryAfter: 5)

    init(status: Int, line: String, retryAfter: Int? = nil) {
        self.status = status
        self.line = line
        self.retryAfter = retryAfter
    }

    init(_ problem: WebhookBody.Problem) {
        switch problem {
        case .notJSON: self.init(status: 400, line: "the body is not JSON")
        case .noKey: self.init(status: 400, line: "webhook.key_paths lead to no key in the body")
        case .notAKey:
            self.init(
                status: 400, line: "webhook.key_paths lead to something that is neither a text nor a whole number")
        case .tooManyKeys:
            self.init(status: 413, line: "the body names more than \(WebhookBody.mostKeys) users")
        }
    }

    var response: Response {
        var response = Response.text(.init(code: status), line)
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        return response
    }
}
