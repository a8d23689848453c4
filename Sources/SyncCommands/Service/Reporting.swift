import ServiceLifecycle
import SyncAgent

/// Tells the service manager how the agent is: ready, alive as long as its loop turns, stopping.
///
/// The settings are read, the database has answered, and schema and mapping fit before an agent runs: that is what
/// `Type=notify` waits for. From then on the watchdog's word depends on the loop, which is what could hang.
struct Reporting: Service {
    let manager: ServiceManager
    let pulse: AgentPulse

    /// How often the status line is looked at where no watchdog asks for more.
    private static let interval = Duration.seconds(10)

    func run() async throws {
        manager.tell([.ready] + Reporting.words(pulse.reading, now: .now, isWatched: isWatched))
        try? await cancelWhenGracefulShutdown {
            var told: ServiceManager.Word?
            while true {
                let words = Reporting.words(pulse.reading, now: .now, isWatched: isWatched)
                manager.tell(words.filter { $0 == .watchdog || $0 != told })
                told = words.last { $0 != .watchdog }
                try await Task.sleep(for: interval)
            }
        }
        // It is the last of the services, so it hears of the end first.
        manager.tell([.stopping, .status("finishing what is in flight")])
    }

    private var isWatched: Bool { manager.patience != nil }

    /// Twice in the time that the watchdog gives, as sd_watchdog_enabled(3) advises.
    private var interval: Duration { min(manager.patience.map { $0 / 2 } ?? Reporting.interval, Reporting.interval) }

    /// What is to be told of a reading. A loop that has stopped turning gets no watchdog's word.
    static func words(
        _ reading: AgentPulse.Reading, now: ContinuousClock.Instant, isWatched: Bool
    ) -> [ServiceManager.Word] {
        let isTurning = now - reading.turnedAt <= longestSilence
        return (isWatched && isTurning ? [.watchdog] : []) + (reading.isStopping ? [] : [.status(status(reading))])
    }

    /// The loop handles an event at each heartbeat, and at each attempt to reach a database that is gone.
    static let longestSilence = Duration.seconds(120)

    private static func status(_ reading: AgentPulse.Reading) -> String {
        guard reading.isDatabaseReachable else { return "the database does not answer; trying again" }
        let settled = reading.outcomes.values.reduce(0, +)
        return "\(reading.held) in flight, \(settled) settled, \(reading.agents) agents"
    }
}
