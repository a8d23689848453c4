/// Decides what one agent does next. It owns no connection, no clock and no task: whoever runs it hands
/// in what happened and performs what comes out.
///
/// A user's way through it: claimed → `queue` → pushing → `unsettled` → settling → gone. `held` counts all
/// of them, and never exceeds the capacity.
public struct Dispatcher: Sendable {
    var settings: DispatcherSettings
    var random: SeededRandom
    var phase = Phase.running
    /// Claimed, and waiting for a call to begin. A slice, whose first goes without the others moving up.
    var queue: ArraySlice<Job> = []
    var pushing = 0
    /// How many may be.
    var limit: ConcurrencyLimit
    /// How many may be held.
    var window = ClaimWindow()
    /// What was claimed last.
    var request = Request(users: 0, whileCalling: false)
    /// Answered or decided, and waiting to be written.
    var unsettled: [Settlement] = []
    /// Until when the first of them waits for others to be written with it. `nil`: there is none, or it waits no longer.
    var gatherUntil: Instant?
    var settling = 0
    var look = Look.wanted(again: false)
    var pace: Pace
    /// Who shares the rate; `nil`: not known yet.
    var agents: Int?
    /// Nobody sends before this.
    var throttledUntil: Instant?
    /// No settling before this: the database didn't answer.
    var settleAfter: Instant?
    var databaseFailures = 0
    var lingerUntil: Instant?
    var wakeAt: Instant?
    /// The claim that was let through during an account pause, to see if the account works again.
    var probe: Lease?
    var sweeps: Sweeps
    var breaker: RejectionBreaker
    /// Whether the claim that is under way was sent before the fleet was paused: it may bring users who mustn't be
    /// pushed any more.
    var isHaulStale = false
    /// When a stopping dispatcher gives up on a database that doesn't answer: its leases expire by themselves.
    var stopBy: Instant?

    /// Where the dispatcher is in its life.
    enum Phase: Sendable, Hashable {
        /// → `stopping`, `finished`
        case running
        /// Claims nothing more. → `finished`
        case stopping
        case finished
    }

    /// Whether a sweep may still find somebody: then nothing is idle.
    enum Sweeps: Sendable, Hashable {
        /// → `rested`, `failed`
        case awaited
        /// What there was to find is in the database.
        case rested
        /// There may be more, and it can't be found. → `rested`
        case failed
    }

    /// Whether to look into the database for users.
    enum Look: Sendable, Hashable {
        /// As soon as there is room. → `underWay`
        case wanted(again: Bool)
        /// A claim is with the database; `again`: something happened since it was sent. → `wanted`, `at`
        case underWay(again: Bool)
        /// Not before this instant, unless something happens. → `wanted`
        case at(Instant)
    }

    /// What a claim asked for.
    struct Request: Sendable, Hashable {
        var users: Int
        /// Whether users were called then, so that they could run out.
        var whileCalling: Bool
    }

    public init(settings: DispatcherSettings, seed: UInt64) {
        self.settings = settings
        random = SeededRandom(seed: seed)
        limit = ConcurrencyLimit(ceiling: settings.concurrency)
        pace = Pace(rate: min(settings.rate, DispatcherSettings.uncountedRate))
        sweeps = settings.awaitsSweeps ? .awaited : .rested
        breaker = RejectionBreaker(threshold: settings.equalRejections)
    }

    /// Users claimed and not yet settled.
    public var held: Int { queue.count + pushing + unsettled.count + settling }

    /// Calls that have begun and aren't answered.
    public var inFlight: Int { pushing }

    /// How many calls may be in flight just now: the settings' concurrency, or less.
    public var concurrency: Int { limit.value }

    public var isFinished: Bool { phase == .finished }

    /// The one door: what happened goes in, what is to be done comes out.
    public mutating func handle(_ event: DispatcherEvent, at now: Instant) -> [DispatcherAction] {
        guard phase != .finished else { return [] }
        var actions = take(event, at: now)
        guard phase != .finished else { return actions }
        actions += beginPushes(at: now)
        actions += beginSettling(at: now)
        actions += beginClaim(at: now)
        actions += finishIfDone(at: now)
        actions += planWake(at: now)
        return actions
    }

    private mutating func take(_ event: DispatcherEvent, at now: Instant) -> [DispatcherAction] {
        switch event {
        case .started: return []
        case .notified:
            lingerUntil = now + DispatcherSettings.lingerSpan
            wantLook()
            return []
        case .ticked:
            wakeAt = nil
            return []
        case .claimed(let haul): return take(haul, at: now)
        case .claimFailed:
            isHaulStale = false
            look = .at(now + afterDatabaseFailure())
            return []
        case .sourceMisfit:
            isHaulStale = false
            look = .at(now + afterDatabaseFailure())
            // Whether anybody is due can't be seen where nobody can be compared, so it isn't idle.
            return settings.isUntilIdle && held == 0 && phase == .running ? finish(.paused) : []
        case .answered(let job, let answer): return take(answer, of: job, at: now)
        case .settled(let report):
            take(report)
            return []
        case .settleFailed(let batch):
            settling -= batch.count
            unsettled = batch + unsettled
            settleAfter = now + afterDatabaseFailure()
            return []
        case .sweepsRested:
            sweeps = .rested
            wantLook()
            return []
        case .sweepsFailed:
            sweeps = .failed
            wantLook()
            return []
        case .fleetCounted(let agents):
            self.agents = agents
            changePace(at: now)
            return []
        case .tuned(let tuning):
            tune(tuning, at: now)
            return []
        case .stopRequested:
            stop(at: now)
            return []
        }
    }

    private mutating func take(_ haul: Haul, at now: Instant) -> [DispatcherAction] {
        databaseFailures = 0
        let again = look == .underWay(again: true)
        // One that found fewer than it asked for would not have found more.
        let isFull = haul.count >= request.users
        let isStarved = request.whileCalling && isFull && queue.isEmpty && pushing < limit.value
        window.refilled(waiting: queue.count, isStarved: isStarved, capacity: capacity)
        queue += haul.jobs
        unsettled += haul.settlements
        if isHaulStale {
            isHaulStale = false
            releaseQueue()
        }
        if haul.folded > 0 { lingerUntil = now + DispatcherSettings.lingerSpan }
        if haul.gate == .probing { probe = haul.jobs.first?.claim.lease }
        look = again ? .wanted(again: false) : .at(nextLook(after: haul, at: now))
        if phase == .stopping { releaseQueue() }
        guard settings.isUntilIdle, held == 0, !again, phase == .running else { return [] }
        return finishIfIdle(after: haul)
    }

    /// Where somebody is due and nobody may push, what a sweep may find changes nothing.
    private mutating func finishIfIdle(after haul: Haul) -> [DispatcherAction] {
        guard haul.folded == 0 else { return [] }
        guard haul.nextDue != nil else { return finishIfSwept() }
        switch haul.gate {
        case .paused: return finish(.paused)
        case .open, .probing, .throttled: return []
        }
    }

    private mutating func finishIfSwept() -> [DispatcherAction] {
        switch sweeps {
        case .awaited: []
        case .rested: finish(.idle)
        case .failed: finish(.uncompared)
        }
    }

    private mutating func take(_ answer: PushAnswer, of job: Job, at now: Instant) -> [DispatcherAction] {
        limit.hear(answer, at: now, inFlight: pushing)
        pushing -= 1
        let settlement = Settlement(of: job.claim, push: job.push, answer: answer, using: &random)
        unsettled.append(settlement)
        if let suspicion = breaker.take(answer.outcome, of: job.claim.user, at: now) {
            releaseAll()
            return [.suspectFleet(suspicion)]
        }
        switch answer.outcome {
        case .accepted:
            // A call that began before the pause says nothing about what came after.
            guard job.claim.lease == probe else { return [] }
            probe = nil
            wantLook()
            return [.resumeFleet]
        case .rejected, .unavailable: return []
        case .throttled:
            guard case .after(let wait) = settlement.due else { return [] }
            throttledUntil = max(throttledUntil ?? now, now + wait)
            return [.throttleFleet(wait)]
        case .account(let problem):
            releaseAll()
            return [.pauseFleet(problem)]
        }
    }

    private mutating func take(_ report: SettleReport) {
        databaseFailures = 0
        settling -= report.settled + report.lost + report.skipped.count
        unsettled = report.skipped + unsettled
        if report.dueNow + report.lost > 0 { wantLook() }
    }

    /// Asks for a look at the database, also one after that which is under way.
    mutating func wantLook() {
        switch look {
        case .wanted: break
        case .at: look = .wanted(again: false)
        case .underWay: look = .underWay(again: true)
        }
    }

    private mutating func stop(at now: Instant) {
        guard phase == .running else { return }
        phase = .stopping
        stopBy = now + settings.timeout + DispatcherSettings.stopGrace
        releaseQueue()
    }

    /// Hands back everything whose call hasn't begun, also what a claim that is under way will bring.
    private mutating func releaseAll() {
        releaseQueue()
        switch look {
        case .underWay: isHaulStale = true
        case .wanted, .at: break
        }
    }

    /// Hands back everything whose call hasn't begun.
    mutating func releaseQueue() {
        unsettled += queue.map { Settlement(releasing: $0.claim) }
        queue = []
    }

    private mutating func afterDatabaseFailure() -> Duration {
        databaseFailures += 1
        return Backoff.database.delay(afterFailures: databaseFailures, using: &random)
    }

    mutating func finish(_ end: DispatcherEnd) -> [DispatcherAction] {
        phase = .finished
        return [.finish(end)]
    }
}
