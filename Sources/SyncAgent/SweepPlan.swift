import SyncCore

/// Which sweeps an agent takes part in: from its settings, and from whether capture works.
struct SweepPlan: Sendable, Hashable {
    let sweeping: AgentSettings.Sweeping
    let pollInterval: Duration
    /// Whether the source says when a row was changed.
    let hasUpdatedAt: Bool
    /// Whether triggers tell of every change, as far as is known.
    var isCaptureIntact = true
    /// Whether a recent sweep would see all that is committed late (see `Store.seesTransactions`).
    var seesTransactions = true

    /// While triggers tell nothing, everything is found by comparing, so that is done as often as in poll mode.
    var schedules: [SweepSchedule] {
        switch (sweeping.mode, isCaptureIntact) {
        case (.listen, true):
            [SweepSchedule(kind: .full, interval: sweeping.interval, reason: .periodic)]
        case (.listen, false), (.poll, _):
            polling
        }
    }

    /// Where the table says when rows were changed, the frequent pass reads those alone, and the full one finds
    /// who is gone, and who was changed without saying so.
    private var polling: [SweepSchedule] {
        guard hasUpdatedAt, seesTransactions else {
            return [SweepSchedule(kind: .full, interval: pollInterval, reason: .poll)]
        }
        return [
            SweepSchedule(kind: .full, interval: sweeping.interval, reason: .periodic),
            SweepSchedule(kind: .recent, interval: pollInterval, reason: .poll),
        ]
    }
}
