import SyncCore

/// What a run with brakes has besides: mass changes, an operator who answers, and what is promised of both.
extension Simulation {
    /// What can only be seen from outside.
    struct BrakeWatch {
        /// When a known user changed whose subscriber was overwritten for it, unasked.
        var overwritten: [UserKey: Int64] = [:]
        /// The largest number that may be, whenever it was allowed.
        var mostOverwritten = 0
        /// New subscribers that an operator allowed beyond the limit.
        var extraSubscribers = 0
        /// Users in a row whom SignalWire rejected, for each life of an agent.
        var rejected: [AgentLife: Set<UserKey>] = [:]
        var approvals = 0
    }

    /// The limit of new subscribers with what an operator has allowed.
    var allowedSubscribers: Int { settings.newSubscriberLimit + watch.extraSubscribers }

    // MARK: - The shell

    /// Whether changes must be counted before anybody of a claim is pushed.
    mutating func isCountDue(_ planned: PlannedClaims, _ index: Int) -> Bool {
        guard settings.brakes != nil, !store.mistakes.contains(.brakeNotAsked), !planned.batch.isBraked else {
            return false
        }
        let isBlind = store.mistakes.contains(.brakeCountsOnlyFolds)
        guard planned.batch.folded > 0 || !isBlind else { return false }
        return agents[index].gauge.claimed(
            folding: planned.batch.folded, leavingMore: planned.batch.folded >= Self.foldLimit,
            overwriting: isBlind ? 0 : planned.overwriting, agents: agents[index].fleet, at: agents[index].instant(now))
    }

    /// - Returns: how many changed at once, of how many.
    func countChanges(_ planned: PlannedClaims) -> (changed: Int, known: Int) {
        guard let brakes = settings.brakes else { return (0, 0) }
        let changed = store.changedInWindow(brakes.window, from: planned.batch.oldestChange, now: databaseNow)
        let gauge = BlastGauge(sharePercent: brakes.sharePercent, fewest: brakes.fewest)
        let worthCounting = max(gauge.fewest, gauge.knownPerChange * changed)
        return (changed, min(store.knownBeforeWindow(brakes.window, now: databaseNow), worthCounting))
    }

    // MARK: - The world

    /// A migration of the application's changes a field of everybody.
    mutating func writeToAll() {
        let field = pick(settings.mapped, &random)
        let value = field == .timeZone ? pick(Self.massZones, &random) : "M\(number())"
        note("application: \(field.rawValue) of all becomes \(value)")
        for user in allUsers {
            guard var row = store.source[user] else { continue }
            row.fields[field] = value
            store.write(user, row, now: databaseNow)
        }
        notifyAll()
    }

    private static let massZones = ["Europe/Paris", "Asia/Tokyo", "America/Lima", "Africa/Cairo"]

    /// An operator looks at `status`, and says what comes to mind.
    mutating func answerBrakes() {
        if store.control.pause == .suspicious, chance(0.7, &random) { resumeByOperator() }
        guard chance(0.6, &random) else { return }
        if chance(0.6, &random) { approve() } else { reject() }
        notifyAll()
    }

    /// - Returns: whether somebody was held.
    @discardableResult
    mutating func approve() -> Bool {
        let judged = store.approve(now: databaseNow)
        note("operator: approve \(judged)")
        watch.extraSubscribers += judged.new
        forgetJudged()
        return judged.changed + judged.new > 0
    }

    private mutating func reject() {
        let judged = store.reject(window: settings.brakes?.window ?? 0, now: databaseNow)
        note("operator: reject \(judged)")
        forgetJudged()
    }

    private mutating func forgetJudged() {
        watch.overwritten = watch.overwritten.filter { $0.value > store.control.judgedAt }
    }

    // MARK: - The promises

    /// With a brake on, no known subscriber is overwritten beyond the share, however often agents come and go.
    ///
    /// One agent keeps it exactly. Of several, each may use up what it counted last before it counts again. As in the
    /// database, where a row has the time of its last change only, who has changed again counts with that change, once
    /// it is sent.
    mutating func checkOverwriting(_ job: Job) {
        guard let brakes = settings.brakes, job.push.isHeldByBrake(job.claim) else { return }
        guard let known = claimed[job.claim.lease], let limit = known.limit else { return }
        guard known.isKnown, known.changedAt > store.control.judgedAt else { return }
        watch.mostOverwritten = max(watch.mostOverwritten, limit * settings.agents)
        watch.overwritten[job.claim.user] = known.changedAt
        figures.overwritten += 1
        let times = watch.overwritten.filter { store.subscribers[$0]?.changedAt == $1 }.values
        let most = times.map { end in times.count { $0 <= end && $0 >= end - brakes.window } }.max() ?? 0
        if most > watch.mostOverwritten {
            fail("The brake on mass changes let \(most) be overwritten where \(watch.mostOverwritten) were allowed")
        }
    }

    /// What the brake on mass changes has to know of a claim, when it is taken.
    mutating func remember(_ claim: Claim) {
        guard let brakes = settings.brakes, let row = store.subscribers[claim.user] else { return }
        let known = store.knownBeforeWindow(brakes.window, now: databaseNow)
        let holds = BlastGauge.countHolds.millisecondsRoundedUp
        claimed[claim.lease] = ClaimedChange(
            changedAt: row.changedAt ?? .min, isKnown: (row.admittedAt ?? .max) < databaseNow - brakes.window - holds,
            limit: BlastGauge(sharePercent: brakes.sharePercent, fewest: brakes.fewest).limit(of: known))
    }

    /// Nobody goes on calling where users in a row are rejected alike, but for the calls that are on their way.
    mutating func checkRejections(_ outcome: PushOutcome, of user: UserKey, _ index: Int) {
        let threshold = settings.dispatcher.equalRejections
        guard threshold > 0 else { return }
        let life = agents[index].identity
        switch outcome {
        case .accepted: watch.rejected[life] = []
        case .rejected:
            watch.rejected[life, default: []].insert(user)
            let count = watch.rejected[life]?.count ?? 0
            if count > threshold + settings.dispatcher.concurrency {
                fail("Agent \(index) called for \(count) users in a row who were rejected alike")
            }
        case .throttled, .unavailable, .account: break
        }
    }

    /// After the operator has said yes to everything, no brake holds anybody.
    mutating func checkReleased() {
        guard settings.brakes != nil else { return }
        let held = store.heldByBrakes(.massChange) + store.heldByBrakes(.newSubscriberLimit)
        if !held.isEmpty { fail("I1: \(held) are held though everything was approved") }
        figures.approvals += watch.approvals
    }
}

/// A user's change as it was when a lease was taken for it.
struct ClaimedChange {
    let changedAt: Int64
    /// Whether the subscriber was there before the window, and at every count that may have been gone by.
    let isKnown: Bool
    /// How many may change at once; `nil`: too few are known for one.
    let limit: Int?
}

extension PlannedClaims {
    /// How many of them would be overwritten, unasked.
    var overwriting: Int { plans.count { $1.isHeldByBrake($0) } }
}

extension PushPlan {
    /// Whether the brake on mass changes holds it.
    func isHeldByBrake(_ claim: Claim) -> Bool {
        switch self {
        case .push(let push): push.isHeldByBrake(claim)
        case .nothing, .hold, .forget: false
        }
    }
}
