import SyncCore

/// This process's clock for the dispatcher: it goes on while the machine sleeps, and is never set back.
struct MonotonicClock: Sendable {
    private let origin = ContinuousClock.now

    var now: Instant { Instant(nanoseconds: (ContinuousClock.now - origin).nanoseconds) }

    func sleep(until instant: Instant) async throws {
        try await ContinuousClock().sleep(until: origin + .nanoseconds(instant.nanoseconds))
    }
}
