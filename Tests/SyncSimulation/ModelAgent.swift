import SyncCore

/// One agent: a real `Dispatcher` in a shell that does what `SyncAgent` does, in virtual time.
struct ModelAgent {
    enum State: Equatable {
        case running
        /// It doesn't get to run before then, and doesn't notice.
        case stalled(until: Int64)
        case dead
    }

    /// A crash or a stall to come.
    struct Doom {
        let fault: SimulationSettings.Fault
        /// Strikes after so many more events…
        var eventsLeft: Int
        /// …and then only between the decision to call and the call.
        let isBeforeCall: Bool
    }

    let index: Int
    var life = 0
    var state = State.dead
    var dispatcher: Dispatcher
    /// When to count changes, and how many agents it has heard of.
    var gauge = BlastGauge(sharePercent: 0)
    var fleet = 1
    /// What the loop asked of the database, one after the other.
    var desk: [DatabaseStatement] = []
    var isDeskBusy = false
    var alarm = 0
    /// A fault that waits for its moment: any point of a user's way can be the last.
    var doom: Doom?
    /// The end of the last stall: what was claimed before may have been lost meanwhile.
    var disturbedAt: Int64 = .min
    /// The references for which a call was sent after its lease was lost, as long as that isn't written down.
    var sentLate: [Lease: String] = [:]
    /// This process's monotonic clock, which has an origin of its own.
    let clockOffset: Int64

    var identity: AgentLife { AgentLife(agent: index, life: life) }

    func instant(_ now: Int64) -> Instant { Instant(nanoseconds: (now + clockOffset) * 1_000_000) }

    /// The first millisecond at which the agent's clock has reached the instant.
    func realTime(of instant: Instant) -> Int64 {
        let nanoseconds = instant.nanoseconds - clockOffset * 1_000_000
        return nanoseconds <= 0 ? 0 : (nanoseconds - 1) / 1_000_000 + 1
    }
}
