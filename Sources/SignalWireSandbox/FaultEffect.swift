/// What goes wrong, once a fault has been drawn for a request.
public enum FaultEffect: Sendable, Hashable {
    /// Nothing but the fault's latency.
    case latency
    /// An error answer instead of doing what was asked. Without a code, 401, 403, 404 and 5xx have
    /// the short body (`{"error": …}`), 4xx others the list of errors.
    case status(Int, code: String? = nil, message: String? = nil, attribute: String? = nil, RetryAfter? = nil)
    /// An HTML page, as a proxy in front of the API gives when it can't reach it.
    case html(status: Int = 502)
    /// A 302 to somewhere else; credentials must not follow it.
    case redirect(to: String = "https://elsewhere.invalid/")
    /// The connection is reset; the request was not applied.
    case resetBeforeApplying
    /// The request is applied, then the connection is reset.
    case resetAfterApplying
    /// The connection is reset at once, and the request applied after the delay: a late request
    /// that may overwrite what was sent meanwhile.
    case lateApply(afterMilliseconds: Int = 1_000)
    /// No answer, until the client gives up or the limit is over; not applied.
    case hang(limitMilliseconds: Int = 60_000)
    /// Applied; the answer announces its whole length, stops in the middle and the connection ends.
    case cutBody
    /// Applied; the answer is a 200 whose body isn't JSON.
    case malformedBody
    /// Applied; the answer is right but for this many bytes of padding.
    case oversizedBody(bytes: Int = 1_048_576)
    /// Applied; the answer is a 200 without `subscriber_id`.
    case missingSubscriberID

    /// A `Retry-After` header, in either of the forms that HTTP allows (RFC 9110, section 10.2.3).
    public enum RetryAfter: Sendable, Hashable {
        case seconds(Int)
        /// The date that is this many seconds ahead of the sandbox's clock.
        case date(inSeconds: Int)
    }

    /// The name in flags, at the control endpoint and in ``SandboxStatistics/faults``.
    public var name: String { kind.rawValue }

    /// The effects without their parameters.
    enum Kind: String, CaseIterable {
        case latency, status, html, redirect, hang
        case resetBefore = "reset-before"
        case resetAfter = "reset-after"
        case lateApply = "late-apply"
        case cutBody = "cut-body"
        case malformedBody = "malformed-body"
        case oversizedBody = "oversized-body"
        case missingID = "missing-id"
    }

    var kind: Kind {
        switch self {
        case .latency: .latency
        case .status: .status
        case .html: .html
        case .redirect: .redirect
        case .resetBeforeApplying: .resetBefore
        case .resetAfterApplying: .resetAfter
        case .lateApply: .lateApply
        case .hang: .hang
        case .cutBody: .cutBody
        case .malformedBody: .malformedBody
        case .oversizedBody: .oversizedBody
        case .missingSubscriberID: .missingID
        }
    }
}
