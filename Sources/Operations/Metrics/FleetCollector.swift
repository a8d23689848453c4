import SyncStore

/// Writes what the database says of the whole fleet.
///
/// Figures that are too old are left out: a series that ends is seen, one that stands still is believed.
struct FleetCollector: Sendable {
    static let longestAge = Duration.seconds(120)

    let latest: FigureCache<FleetFigures>.Latest

    func collect(into exposition: inout Exposition) {
        guard let figures = latest.value, let age = latest.age, age <= FleetCollector.longestAge else { return }
        exposition.add(MetricTable.figuresAge, age / .seconds(1))
        flow(figures.status, into: &exposition)
        gate(figures, into: &exposition)
        capture(figures, into: &exposition)
        exposition.add(MetricTable.schemaVersion, Double(figures.status.schemaVersion))
    }

    private func flow(_ status: FleetStatus, into exposition: inout Exposition) {
        exposition.add(MetricTable.users, status.users.map { ($0.status, Double($0.count)) })
        exposition.add(MetricTable.oldestUnsynced, status.lagSeconds ?? 0)
        exposition.add(MetricTable.changeBacklog, Double(status.changeBacklog))
        exposition.add(MetricTable.changesWithoutKey, Double(status.changesWithoutKey))
        exposition.add(MetricTable.newSubscribers, Double(status.newSubscribers24h))
        exposition.add(MetricTable.agents, Double(status.agents))
        exposition.add(MetricTable.agentsListening, Double(status.agentsListening))
    }

    private func gate(_ figures: FleetFigures, into exposition: inout Exposition) {
        let status = figures.status
        exposition.add(MetricTable.paused, state: status.pause?.kind)
        exposition.add(MetricTable.throttled, status.throttledUntil != nil)
        exposition.add(MetricTable.breaker, state: breakerState(figures))
        exposition.add(MetricTable.brakeEngaged, status.brakes.since != nil)
        exposition.add(
            MetricTable.held,
            [
                ("mass_change", Double(status.brakes.heldChanged)),
                ("new_subscriber_limit", Double(status.brakes.heldNew)),
            ])
    }

    private func breakerState(_ figures: FleetFigures) -> String {
        switch figures.status.pause?.kind {
        case "account": figures.isProbeDue ? "half_open" : "open"
        case "suspicious": "open"
        case _: "closed"
        }
    }

    private func capture(_ figures: FleetFigures, into exposition: inout Exposition) {
        let sweeps = figures.status.sweeps
        exposition.add(MetricTable.captureBroken, figures.status.captureTrouble != nil)
        exposition.add(MetricTable.sweepRunning, sweeps.reason != nil)
        exposition.add(MetricTable.sweepCompared, Double(sweeps.compared ?? 0))
        exposition.add(MetricTable.sweepEnded, figures.sweptAtSeconds ?? 0)
        exposition.add(MetricTable.sweepFound, Double(sweeps.endedFound ?? 0))
        exposition.add(MetricTable.driftFound, Double(sweeps.driftFound))
        exposition.add(MetricTable.notifyQueue, figures.notifyQueueUsage)
    }
}
