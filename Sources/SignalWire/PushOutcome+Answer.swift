import FoundationEssentials
import NIOHTTP1
import SyncCore

extension PushOutcome {
    /// Decides what an answer means, from nothing but the answer.
    ///
    /// - Parameters:
    ///   - body: the whole body. Of an accepted one nothing but `subscriber_id` is read.
    ///   - redaction: knows what was sent. It is costly to make, and an accepted answer needs none.
    ///   - now: unix seconds, for a `Retry-After` that is a date.
    init(status: Int, headers: HTTPHeaders, body: Data, redaction: @autoclosure () -> Redaction, now: Int64) {
        guard !(200..<300).contains(status) else {
            self = .accepting(body)
            return
        }
        let redaction = redaction()
        let complaints = Complaint.all(in: body)
        let refusal = RefusalClass(status: status, codes: complaints.compactMap(\.code))
        let problem = Problem(complaints, status: status, class: refusal, redaction: redaction)
        switch refusal {
        case .redirected: self = .rejected(.redirected(to: headers, redaction: redaction))
        case .account: self = .account(problem)
        case .throttled: self = .throttled(retryAfter: RetryAfter.duration(in: headers, now: now), problem)
        case .unavailable: self = .unavailable(problem, .answered)
        case .rejected: self = .rejected(problem)
        }
    }

    /// A 2xx is a success only if it says whose.
    private static func accepting(_ body: Data) -> PushOutcome {
        guard let id = AcceptedBody.subscriberID(in: body) else { return .unavailable(.malformedAnswer, .answered) }
        return .accepted(id)
    }
}
