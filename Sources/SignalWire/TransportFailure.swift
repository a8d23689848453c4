import SyncCore

/// Why a request has no usable answer, below the level of HTTP.
enum TransportFailure: Sendable, Hashable, CaseIterable {
    case connectionRefused
    case hostUnreachable
    case dnsFailure
    /// The handshake failed: a certificate that isn't trusted, or no TLS at all on the other side.
    case tlsHandshakeFailed
    /// TLS broke after the request may have gone out.
    case tlsBroken
    case connectTimeout
    case deadlineExceeded
    /// Reset, or closed, before a status line came.
    case connectionLost
    /// The connection ended in the middle of the answer.
    case answerCut
    case answerTooLarge
    /// What came is not HTTP.
    case notHTTP
    /// This client was shut down before.
    case clientClosed
    case unknown

    /// The code that stands in tables and logs. Stable.
    var code: String {
        switch self {
        case .connectionRefused: "connection_refused"
        case .hostUnreachable: "host_unreachable"
        case .dnsFailure: "dns_failure"
        case .tlsHandshakeFailed, .tlsBroken: "tls_failure"
        case .connectTimeout: "connect_timeout"
        case .deadlineExceeded: "timeout"
        case .connectionLost: "connection_reset"
        case .answerCut: "answer_cut"
        case .answerTooLarge: "answer_too_large"
        case .notHTTP: "malformed_answer"
        case .clientClosed: "client_closed"
        case .unknown: "transport_failure"
        }
    }

    /// What happened, in one sentence of ours: errors of libraries may quote anything.
    var sentence: String {
        switch self {
        case .connectionRefused: "SignalWire's host refused the connection."
        case .hostUnreachable: "There is no way to SignalWire's host from here."
        case .dnsFailure: "The name of SignalWire's host could not be resolved."
        case .tlsHandshakeFailed: "No trusted TLS connection to SignalWire came about."
        case .tlsBroken: "The TLS connection to SignalWire broke before an answer came."
        case .connectTimeout: "No connection to SignalWire came about in time."
        case .deadlineExceeded: "SignalWire did not answer in time."
        case .connectionLost: "SignalWire closed the connection before it answered."
        case .answerCut: "SignalWire's answer ended in the middle."
        case .answerTooLarge: "SignalWire's answer was larger than is read."
        case .notHTTP: "What came from SignalWire's host is not an HTTP answer."
        case .clientClosed: "This program is stopping and sends nothing any more."
        case .unknown: "The call to SignalWire failed in a way that has no name here."
        }
    }

    /// How far the request can have come. In doubt `unanswered`, the careful one.
    var reach: Reach {
        switch self {
        case .connectionRefused, .hostUnreachable, .dnsFailure, .tlsHandshakeFailed, .connectTimeout, .clientClosed:
            .notSent
        case .answerTooLarge: .answered
        case .tlsBroken, .deadlineExceeded, .connectionLost, .answerCut, .notHTTP, .unknown: .unanswered
        }
    }

    /// A transport failure is never the user's fault.
    var outcome: PushOutcome { .unavailable(Problem(code: code, message: sentence), reach) }
}
