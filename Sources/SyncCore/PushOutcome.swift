/// What came of one call, in the classes that decide what happens next.
///
/// The source of the classes is the design page "Answers"; nothing in it holds a token, a profile
/// value or a body.
public enum PushOutcome: Sendable, Hashable {
    /// Any 2xx with a `subscriber_id`.
    case accepted(SubscriberID)
    /// 400, 422, other 4xx, and redirects, which are not followed: the same request would meet the same answer.
    case rejected(Problem)
    /// 429, or the code `rate_limit_exceeded`. `nil` where no usable `Retry-After` came with it.
    case throttled(retryAfter: Duration?, Problem)
    /// No usable answer: this user is tried again, for ever.
    case unavailable(Problem, Reach)
    /// It isn't the user but the account: credentials, scope, balance, plan.
    case account(Problem)
}

/// How far a request that failed has come.
public enum Reach: Sendable, Hashable, CaseIterable {
    /// It never left: refused, no route, no name, no TLS.
    case notSent
    /// SignalWire answered, but not usably (5xx, no `subscriber_id`): it may have been applied, and is over.
    case answered
    /// No answer (timeout, reset, cut body): it may have been applied, or may be yet.
    case unanswered
}

/// Why a call did not succeed, fit for logs and tables.
public struct Problem: Sendable, Hashable {
    /// SignalWire's code, or ours (`timeout`, `connection_refused`, …). Stable.
    public let code: String
    /// One sentence. Values that were sent are taken out of it by who made it.
    public let message: String
    /// The request field that is meant, where the answer names one.
    public let attribute: String?

    public init(code: String, message: String, attribute: String? = nil) {
        self.code = code
        self.message = message
        self.attribute = attribute
    }
}

/// One finished call: its outcome and what is worth writing down about it.
public struct PushAnswer: Sendable, Hashable {
    public let outcome: PushOutcome
    /// `nil` where no status line came.
    public let httpStatus: Int?
    /// The first of the request id headers that SignalWire's SDKs know.
    public let requestID: String?
    public let duration: Duration

    public init(outcome: PushOutcome, httpStatus: Int? = nil, requestID: String? = nil, duration: Duration = .zero) {
        self.outcome = outcome
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.duration = duration
    }
}
