/// What of the dispatcher's settings can change while it runs.
public struct DispatcherTuning: Sendable, Hashable {
    public var concurrency: Int
    public var rate: Double
    public var equalRejections: Int

    public init(concurrency: Int, rate: Double, equalRejections: Int) {
        self.concurrency = concurrency
        self.rate = rate
        self.equalRejections = equalRejections
    }
}

extension Dispatcher {
    /// Takes new settings. What is in flight goes on; where it is more than may be, nothing begins until it is less.
    mutating func tune(_ tuning: DispatcherTuning, at now: Instant) {
        if tuning.concurrency != settings.concurrency {
            settings.concurrency = tuning.concurrency
            limit = ConcurrencyLimit(ceiling: tuning.concurrency)
        }
        if tuning.equalRejections != settings.equalRejections {
            settings.equalRejections = tuning.equalRejections
            breaker = RejectionBreaker(threshold: tuning.equalRejections)
        }
        settings.rate = tuning.rate
        changePace(at: now)
        wantLook()
    }

    /// This agent's share of the rate; a little of it until it is known who shares it.
    mutating func changePace(at now: Instant) {
        let share = agents.map { settings.rate / Double(max($0, 1)) }
        pace.change(rate: share ?? min(settings.rate, DispatcherSettings.uncountedRate), at: now)
    }
}
