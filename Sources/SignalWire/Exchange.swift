import FoundationEssentials
import NIOHTTP1
import SyncCore

/// What became of one request. It holds the answer's body, tokens included, so it never prints.
enum Exchange: Sendable {
    /// The whole answer came.
    case answered(Head, Data)
    /// It didn't; the head is there where the answer began.
    case failed(TransportFailure, Head?)

    /// Status line and headers of an answer.
    struct Head: Sendable {
        let status: Int
        let headers: HTTPHeaders

        /// The first of the request ids that SignalWire's SDKs look for, in their order, if it is printable.
        var requestID: String? {
            let present = Self.requestIDNames.lazy.compactMap { headers.first(name: $0)?.trimmed }
            return present.first { !$0.isEmpty && $0.utf8.count <= 128 && $0.utf8.allSatisfy(\.isPrintable) }
        }

        /// The clock of whoever answered, where the answer has a date.
        ///
        /// - Parameter now: unix seconds of ours.
        func unixSeconds(now: Int64) -> Int64? {
            headers.first(name: "date").flatMap { HTTPDate($0, now: now) }?.unixSeconds
        }

        private static let requestIDNames = [
            "x-request-id", "x-signalwire-request-id", "request-id", "x-amzn-requestid",
        ]
    }

    var head: Head? {
        switch self {
        case .answered(let head, _): head
        case .failed(_, let head): head
        }
    }

    /// What a push makes of it.
    ///
    /// - Parameter now: unix seconds.
    func outcome(redaction: @autoclosure () -> Redaction, now: Int64) -> PushOutcome {
        switch self {
        case .answered(let head, let body):
            PushOutcome(status: head.status, headers: head.headers, body: body, redaction: redaction(), now: now)
        case .failed(let failure, _): failure.outcome
        }
    }

    /// The same, as it is when the deadline ended it: whatever was thrown then was only our hanging up.
    var afterDeadline: Exchange {
        switch self {
        case .answered: self
        case .failed(_, let head): .failed(.deadlineExceeded, head)
        }
    }
}

extension Exchange: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "‹exchange, status \(head?.status.description ?? "none")›" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
