/// What the dispatcher is told once: limits and periods.
public struct DispatcherSettings: Sendable, Hashable {
    /// The most calls in flight at once.
    public var concurrency: Int
    /// Calls a second over all agents of the database; 0: unlimited.
    public var rate: Double
    /// The deadline of one call.
    public var timeout: Duration
    /// How long a claim is ours.
    public var lease: Duration
    /// How long to wait where nothing wakes us.
    public var pollInterval: Duration
    /// Whether to finish once nothing is due.
    public var isUntilIdle: Bool
    /// Whether it may finish for that only after `.sweepsRested`.
    public var awaitsSweeps: Bool
    /// How many users in a row may meet the same rejection before the configuration is suspected; 0: any number.
    public var equalRejections: Int

    public init(
        concurrency: Int = 32, rate: Double = 100, timeout: Duration = .seconds(15), lease: Duration = .seconds(60),
        pollInterval: Duration = .seconds(5), isUntilIdle: Bool = false, awaitsSweeps: Bool = false,
        equalRejections: Int = 0
    ) {
        self.concurrency = concurrency
        self.rate = rate
        self.timeout = timeout
        self.lease = lease
        self.pollInterval = pollInterval
        self.isUntilIdle = isUntilIdle
        self.awaitsSweeps = awaitsSweeps
        self.equalRejections = equalRejections
    }

    /// After a wake-up: how often to look again…
    public static let lingerStep = Duration.milliseconds(50)
    /// …and for how long after anything came. A commit that lost the race for the one notification
    /// follows the winner by its own length, which is milliseconds in most applications.
    public static let lingerSpan = Duration.seconds(1)
    /// How long an answer waits for others to be written with it, while there may be any.
    public static let gatherSpan = Duration.milliseconds(25)
    /// After a claim that brought all there was.
    public static let pauseAfterFind = Duration.milliseconds(10)
    /// The shortest wait between two looks at a database that said there is something due.
    public static let shortestWait = Duration.milliseconds(20)
    /// What a stop may take beyond the deadline of the calls in flight: the last settlements.
    public static let stopGrace = Duration.seconds(5)

    /// Calls a second, of a limited rate, until the agent knows who shares it.
    public static let uncountedRate = 1.0

    /// The most users that are ever claimed and not yet settled: the bound on memory.
    public var capacity: Int { capacity(concurrency: concurrency, times: ClaimWindow.largest) }

    /// The most that may be just now.
    ///
    /// Three times the concurrency keeps the calls busy while one batch is claimed and one settled, unless they are so
    /// fast that it takes a larger window; fewer calls at once need less, since what waits too long is given back in vain.
    /// At a low rate it is what can be sent in a quarter of a lease, so that claims don't grow stale.
    func capacity(concurrency: Int, times window: Int) -> Int {
        let base = max(3 * concurrency, 8)
        let full = min(base * window, max(base, DispatcherSettings.largeCapacity))
        guard rate > 0 else { return full }
        let quarterLease = Double(lease.nanoseconds) / 4e9
        return max(1, min(full, Int((rate * quarterLease).rounded(.down))))
    }

    /// No window makes the capacity larger than this: a few MB.
    static let largeCapacity = 1024

    /// How old a claim may be when its call begins: the call's deadline still fits into the lease.
    public var latestStart: Duration { .nanoseconds(lease.nanoseconds - timeout.nanoseconds - 1_000_000_000) }
}
