/// A token bucket: how many calls a second may begin, with a small burst.
///
/// The rate is this agent's share; who shares it is told from outside. So a fleet begins, in any second, no more than
/// its rate and a tenth of it, or one call an agent where that is more.
public struct Pace: Sendable {
    /// Calls a second; zero and below: unlimited.
    public private(set) var rate: Double
    private var tokens: Double
    private var countedAt: Instant?

    public init(rate: Double) {
        self.rate = rate
        tokens = 1
    }

    /// The most that may begin at once: a tenth of a second's worth, so that a pause isn't followed by a flood.
    private var burst: Double { max(1, rate / 10) }

    public mutating func change(rate: Double, at now: Instant) {
        refill(at: now)
        self.rate = rate
        tokens = min(tokens, burst)
    }

    /// Whether a call may begin now; if so, it is counted.
    public mutating func take(at now: Instant) -> Bool {
        guard rate > 0 else { return true }
        refill(at: now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// When the next call may begin, if not now.
    public func next(after now: Instant) -> Instant {
        guard rate > 0, tokens < 1 else { return now }
        return now + .nanoseconds(Int64(((1 - tokens) / rate * 1e9).rounded(.up)))
    }

    private mutating func refill(at now: Instant) {
        if let countedAt, now > countedAt {
            tokens = min(burst, tokens + Double((now - countedAt).nanoseconds) * rate / 1e9)
        }
        countedAt = now
    }
}
