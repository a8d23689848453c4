import FoundationEssentials
import SyncStore

/// Lag and throughput of the last hour, as this agent saw them: a sample every half minute, kept in memory.
actor FleetHistory {
    /// One sample.
    struct Sample: Sendable, Hashable, Encodable {
        /// Seconds since 1970, for a browser to show in its own zone.
        let at: Double
        let lagSeconds: Double
        let acceptedLastMinute: Int
    }

    static let interval = Duration.seconds(30)
    static let most = 120

    private(set) var samples: [Sample] = []

    func add(_ status: FleetStatus, at seconds: Double = Date().timeIntervalSince1970) {
        samples.append(
            Sample(at: seconds, lagSeconds: status.lagSeconds ?? 0, acceptedLastMinute: status.acceptedLastMinute))
        if samples.count > FleetHistory.most { samples.removeFirst() }
    }

    /// Samples until the task is cancelled. Figures that are older than the last sample are a gap, not a sample.
    func follow(_ figures: FigureCache<FleetFigures>) async {
        while !Task.isCancelled {
            let latest = await figures.latest(patience: .seconds(5))
            if let value = latest.value, let age = latest.age, age < FleetHistory.interval { add(value.status) }
            try? await Task.sleep(for: FleetHistory.interval)
        }
    }
}
