import Hummingbird
import SyncAgent

/// An answer to a probe: yes, or no and why.
enum Health: Sendable, Hashable {
    case ok
    case bad(String)

    /// The loop handles at least one event in each poll interval, or in each backoff while the database is gone.
    static let longestSilence = Duration.seconds(120)

    static func live(_ reading: AgentPulse.Reading, now: ContinuousClock.Instant) -> Health {
        now - reading.turnedAt > longestSilence ? .bad("the loop has stopped turning") : .ok
    }

    static func ready(_ reading: AgentPulse.Reading) -> Health {
        if reading.isStopping { return .bad("stopping") }
        return reading.isDatabaseReachable ? .ok : .bad("the database does not answer")
    }

    var response: Response {
        switch self {
        case .ok: .text(.ok, "ok")
        case .bad(let reason): .text(.serviceUnavailable, reason)
        }
    }
}

extension Response {
    /// One line of text.
    static func text(_ status: HTTPResponse.Status, _ line: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: .init(string: line + "\n")))
    }
}
