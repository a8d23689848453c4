import Hummingbird
import Logging
import ServiceLifecycle
import SyncAgent

/// `/livez` and `/readyz`: whether the loop turns, and whether this agent can do its work.
///
/// A port that can't be had is no reason not to sync: it is logged, and the agent goes on without.
public struct HealthService: Service {
    private let host: String
    private let port: Int
    private let pulse: AgentPulse
    private let logger: Logger

    public init(host: String, port: Int, pulse: AgentPulse, logger: Logger) {
        self.host = host
        self.port = port
        self.pulse = pulse
        self.logger = logger
    }

    public func run() async throws {
        var quiet = Logger(label: "subscriber-sync.operations")
        quiet.logLevel = .error
        let app = Application(
            router: router(), configuration: .init(address: .hostname(host, port: port)), logger: quiet)
        do {
            try await app.run()
        } catch is CancellationError {
            return
        } catch {
            logger.warning(
                "no health endpoints: the address can't be listened on",
                metadata: ["address": "\(host):\(port)", "hint": "set operations.listen to a free port, or to nothing"])
            try await gracefulShutdown()
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        let pulse = pulse
        router.get("livez") { _, _ in Health.live(pulse.reading, now: .now).response }
        router.get("readyz") { _, _ in Health.ready(pulse.reading).response }
        return router
    }
}

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
        case .ok: Response(status: .ok, body: .init(byteBuffer: .init(string: "ok\n")))
        case .bad(let reason):
            Response(status: .serviceUnavailable, body: .init(byteBuffer: .init(string: reason + "\n")))
        }
    }
}
