@testable import Operations
@testable import SyncAgent
@testable import SyncStore

/// Figures of a fleet in which something of everything is the matter.
enum Samples {
    static let status = FleetStatus(
        users: FleetStatus.statuses.enumerated().map { ($1, $0 == 5 ? 3 : $0 * 10) }, total: 363, changeBacklog: 4,
        changesWithoutKey: 1, lagSeconds: 12.5, acceptedLastMinute: 60, backlogSeconds: 4,
        pause: .init(kind: "account", reason: "401", since: "2026-01-01", nextProbe: nil),
        throttledUntil: nil, agents: 2, agentsListening: 1, pollingReason: "a pooler", newSubscribers24h: 7,
        sweeps: .init(
            baselineAt: "2026-01-01", reason: "periodic", compared: 120, endedAt: "2026-01-01", endedReason: "periodic",
            endedCompared: 300, endedFound: 2, driftFound: 5),
        captureTrouble: nil,
        brakes: .init(since: nil, changed: nil, known: nil, heldChanged: 3, sample: ["1"], heldNew: 9), schemaVersion: 9
    )

    static let figures = FleetFigures(
        status: status, notifyQueueUsage: 0.25, sweptAtSeconds: 1_767_225_600, isProbeDue: true)

    static var standing: AgentStanding {
        let pulse = AgentPulse()
        pulse.update { $0.concurrency = 32 }
        return AgentStanding(
            pulse: pulse, isToListen: true, isListening: { true },
            reconnects: { [("work", 1), ("sweep", 0), ("operations", 2)] })
    }

    static func exposition(age: Duration = .seconds(3)) async -> Exposition {
        var exposition = Exposition()
        let registry = MetricRegistry()
        _ = AgentMetrics(factory: registry)
        await AgentCollector(registry: registry, standing: standing, version: "1.2 \"x\"").collect(into: &exposition)
        FleetCollector(latest: .init(value: figures, age: age)).collect(into: &exposition)
        ProcessCollector().collect(into: &exposition)
        return exposition
    }
}
