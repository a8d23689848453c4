/// What has happened, as the dispatcher hears it.
public enum DispatcherEvent: Sendable {
    case started
    /// A notification, or a fresh LISTEN, which may have missed some: look.
    case notified
    /// The instant of the last `.wake` has come.
    case ticked
    case claimed(Haul)
    case claimFailed
    /// The source can't be read as it is mapped: the fleet is paused, and changes wait as users who are due.
    case sourceMisfit
    case answered(Job, PushAnswer)
    case settled(SettleReport)
    /// Nothing of the batch was written, or nobody knows whether it was. Settling again is safe.
    case settleFailed([Settlement])
    /// No sweep is under way or due: what there was to find is in the database.
    case sweepsRested
    /// Not everybody can be compared: a sweep meets rows that can't be read as they are mapped.
    case sweepsFailed
    /// How many agents share the rate, this one included.
    case fleetCounted(Int)
    /// An operator changed settings.
    case tuned(DispatcherTuning)
    /// Stop claiming, finish what is in flight, then finish.
    case stopRequested
}

/// What is to be done, in this order. None of them waits for another.
public enum DispatcherAction: Sendable {
    /// Claim at most so many users, and answer with `.claimed`, `.claimFailed` or `.sourceMisfit`.
    case claim(limit: Int)
    /// Send, and answer with `.answered`.
    case push(Job)
    /// Write these in one statement, and answer with `.settled` or `.settleFailed`.
    case settle([Settlement])
    /// Answer with `.ticked` then; replaces the wake before it.
    case wake(at: Instant)
    /// Nobody sends before this has passed.
    case throttleFleet(Duration)
    /// Nobody sends, but for one probe at a time, until one succeeds or an operator resumes.
    case pauseFleet(Problem)
    /// Nobody sends until an operator resumes: it is the configuration, and those users are due again then.
    case suspectFleet(Suspicion)
    /// A probe succeeded.
    case resumeFleet
    /// Nothing more comes.
    case finish(DispatcherEnd)
}

/// How a dispatcher ended.
public enum DispatcherEnd: Sendable, Hashable {
    /// Nothing is due and nothing in flight (`--until-idle`).
    case idle
    /// `--until-idle` met a pause: somebody is due, and nobody may push.
    case paused
    /// Nothing is due and nothing in flight, but not everybody could be compared (`--until-idle`).
    case uncompared
    /// It was asked to stop.
    case stopped
}

/// A claimed user whose push was planned and admitted.
public struct Job: Sendable {
    public let claim: Claim
    public let push: Push
    /// When the statement that claimed it was sent: before the lease began, so nothing is counted too long.
    public let claimedAt: Instant

    public init(claim: Claim, push: Push, claimedAt: Instant) {
        self.claim = claim
        self.push = push
        self.claimedAt = claimedAt
    }
}

/// What one claim brought.
public struct Haul: Sendable {
    /// To be pushed.
    public var jobs: [Job]
    /// Claimed, and settled without a call.
    public var settlements: [Settlement]
    public var gate: Gate
    /// How many changes were folded.
    public var folded: Int
    /// How long until a user is due whom this claim didn't take; `nil` where nobody is.
    public var nextDue: Duration?

    public init(
        jobs: [Job] = [], settlements: [Settlement] = [], gate: Gate = .open, folded: Int = 0,
        nextDue: Duration? = nil
    ) {
        self.jobs = jobs
        self.settlements = settlements
        self.gate = gate
        self.folded = folded
        self.nextDue = nextDue
    }

    public var count: Int { jobs.count + settlements.count }
}

/// Whether the fleet may push.
public enum Gate: Sendable, Hashable {
    case open
    /// This claim may push one user, to see whether the account works again.
    case probing
    /// Nobody pushes until an operator, or a probe that is due after the wait, says so.
    case paused(probeAfter: Duration?)
    case throttled(Duration)
}

/// What became of a batch of settlements.
public struct SettleReport: Sendable {
    /// Written.
    public var settled: Int
    /// Their lease was lost: each is due again, whatever it said.
    public var lost: Int
    /// Their rows were locked by somebody else just then; to be written again.
    public var skipped: [Settlement]
    /// How many of them are due at once, having changed meanwhile.
    public var dueNow: Int
    /// For each change of the application's that SignalWire knows from now on: how long that took since its commit.
    public var latencies: [Duration] = []

    public init(settled: Int, lost: Int = 0, skipped: [Settlement] = [], dueNow: Int = 0) {
        self.settled = settled
        self.lost = lost
        self.skipped = skipped
        self.dueNow = dueNow
    }
}
