import SyncAgent

/// Writes what this agent does: its counters, and how it stands just now.
struct AgentCollector: Sendable {
    let registry: MetricRegistry
    let standing: AgentStanding
    let version: String

    func collect(into exposition: inout Exposition) async {
        for definition in [MetricTable.syncs, MetricTable.leasesLost, MetricTable.requests] {
            count(definition, into: &exposition)
        }
        for definition in [MetricTable.requestTime, MetricTable.latency] {
            if let reading = registry.distribution(of: definition, nil) { exposition.add(definition, reading) }
        }
        let reading = standing.pulse.reading
        exposition.add(MetricTable.inFlight, Double(reading.inFlight))
        exposition.add(MetricTable.claimed, Double(reading.held))
        if let limit = reading.concurrency { exposition.add(MetricTable.concurrencyLimit, Double(limit)) }
        exposition.add(MetricTable.listenExpected, standing.isToListen)
        exposition.add(MetricTable.listening, standing.isListening())
        count(MetricTable.listenLosses, into: &exposition)
        exposition.add(MetricTable.databaseUp, reading.isDatabaseReachable)
        let reconnects = await standing.reconnects()
        exposition.add(MetricTable.reconnects, reconnects.map { ($0.session, Double($0.count)) })
        count(MetricTable.webhook, into: &exposition)
        exposition.add(MetricTable.buildInfo, [(version, 1)])
    }

    private func count(_ definition: MetricDefinition, into exposition: inout Exposition) {
        exposition.add(definition, definition.series.map { ($0, Double(registry.count(of: definition, $0))) })
    }
}
