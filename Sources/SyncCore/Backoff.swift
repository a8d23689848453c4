/// Exponential backoff with full jitter: a random wait between nothing and a bound that doubles.
///
/// Full jitter spreads those who failed together best, at the least total work (Brooker,
/// "Exponential Backoff And Jitter", 2015).
public struct Backoff: Sendable, Hashable {
    /// The bound after the first failure.
    public let base: Duration
    /// The bound after many.
    public let cap: Duration

    public init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// A user that SignalWire could not serve: from one second, at most 15 minutes.
    public static let push = Backoff(base: .seconds(1), cap: .seconds(900))
    /// The database, which everything waits for: from 100 ms, at most 10 s.
    public static let database = Backoff(base: .milliseconds(100), cap: .seconds(10))

    /// The longest wait after so many failures in a row (1 and up).
    public func bound(afterFailures failures: Int) -> Duration {
        let doublings = min(max(failures - 1, 0), 40)
        let bound = base.nanoseconds.multipliedReportingOverflow(by: 1 << Int64(doublings))
        return bound.overflow ? cap : min(.nanoseconds(bound.partialValue), cap)
    }

    /// The wait itself.
    public func delay(afterFailures failures: Int, using random: inout SeededRandom) -> Duration {
        .nanoseconds(Int64.random(in: 0...bound(afterFailures: failures).nanoseconds, using: &random))
    }
}
