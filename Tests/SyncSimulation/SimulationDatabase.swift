import SyncCore

/// The way to the database and back: one statement after the other, each of which may fail before it was
/// executed or after.
extension Simulation {
    /// Queues a statement at the agent's one connection.
    mutating func ask(_ statement: DatabaseStatement, _ index: Int) {
        agents[index].desk.append(statement)
        askNext(index)
    }

    private mutating func askNext(_ index: Int) {
        guard !agents[index].isDeskBusy, !agents[index].desk.isEmpty else { return }
        agents[index].isDeskBusy = true
        dispatch(agents[index].desk.removeFirst(), index)
    }

    /// Sends a statement. A claim says when it was sent, which is now and not when it was decided on.
    private mutating func dispatch(_ statement: DatabaseStatement, _ index: Int) {
        var statement = statement
        if case .beginClaim(let limit, _) = statement {
            statement = .beginClaim(limit: limit, claimedAt: agents[index].instant(now))
        }
        queue.schedule(.executes(statement, agents[index].identity, statementFate()), at: now + statementTime())
    }

    private mutating func statementTime() -> Int64 {
        let most = phase == .trouble && chance(0.2, &random) ? settings.slowestStatement : 3
        return .random(in: 0...most, using: &random)
    }

    private mutating func statementFate() -> StatementFate {
        guard phase == .trouble else { return .succeeds }
        let probability = now < weather.databaseFlakyUntil ? 0.5 : settings.failedStatement
        guard chance(probability, &random) else { return .succeeds }
        return chance(0.5, &random) ? .failsBefore : .failsAfter
    }

    /// A statement reaches the database, and its answer sets out.
    mutating func execute(_ statement: DatabaseStatement, from life: AgentLife, _ fate: StatementFate) {
        guard fate != .failsBefore, now >= weather.databaseDownUntil else {
            note("database: agent \(life.agent)'s \(statement.name) fails")
            return reply(.failed(statement), to: life)
        }
        guard let answer = answer(to: statement, from: life, fate) else { return }
        switch fate {
        case .succeeds: reply(answer, to: life)
        case .failsBefore, .failsAfter:
            note("database: the answer to agent \(life.agent)'s \(statement.name) is lost")
            reply(.failed(statement), to: life)
        }
    }

    private mutating func reply(_ answer: DatabaseAnswer, to life: AgentLife) {
        queue.schedule(.reaches(life, .databaseAnswers(answer)), at: now + statementTime())
    }

    /// - Returns: `nil` where the statement has begun, and ends later.
    private mutating func answer(
        to statement: DatabaseStatement, from life: AgentLife, _ fate: StatementFate
    ) -> DatabaseAnswer? {
        switch statement {
        case .beginClaim(let limit, let claimedAt):
            let begun = DatabaseStatement.claim(
                limit: limit, claimedAt: claimedAt, store.snapshot(now: databaseNow))
            queue.schedule(.executes(begun, life, fate), at: now + statementTime())
            return nil
        case .claim(let limit, let claimedAt, let snapshot):
            return .claimed(claim(limit, snapshot, life), claimedAt: claimedAt)
        case .count(let planned):
            let (changed, known) = countChanges(planned)
            note("database: agent \(life.agent) counts \(changed) changed of \(known) known")
            return .counted(changed: changed, known: known, planned)
        case .brake(let planned):
            store.brake(now: databaseNow)
            note("database: agent \(life.agent) brakes")
            return .braked(planned)
        case .admit(let requests, let planned):
            let verdicts = store.admit(requests, limit: settings.newSubscriberLimit, now: databaseNow)
            note("database: admit \(verdicts)")
            let answers = Dictionary(uniqueKeysWithValues: verdicts)
            for request in requests where answers[request.user] == .admitted {
                owners[request.reference.text] = request.user
            }
            return .admitted(answers, planned)
        case .settle(let batch): return .settled(settle(batch, life))
        case .throttle(let wait): store.throttle(until: databaseNow + wait)
        case .pause: store.pauseForAccount(now: databaseNow)
        case .suspect(let suspicion):
            store.pauseForSuspicion(suspicion, now: databaseNow)
            figures.suspicions += 1
        case .resume: store.resumeAfterProbe()
        }
        note("database: agent \(life.agent) \(statement.name)")
        return .done
    }

    /// Few, so that a change of everybody is more than one claim folds.
    static let foldLimit = 5

    private mutating func claim(_ limit: Int, _ snapshot: ClaimSnapshot, _ life: AgentLife) -> ModelClaimBatch {
        let batch = store.claim(limit: limit, foldLimit: Self.foldLimit, reading: snapshot)
        for claim in batch.claims { remember(claim) }
        figures.takeovers += batch.claims.count { claim in snapshot.isTakenOver(claim.user) }
        if batch.folded > 0 || !batch.claims.isEmpty {
            note(
                "database: agent \(life.agent) claims \(batch.claims.map { "\($0.user)/\($0.version)" }), folds \(batch.folded)"
            )
        }
        return batch
    }

    private mutating func settle(_ batch: [Settlement], _ life: AgentLife) -> SettleReport {
        let locked = batch.map(\.user).filter { _ in phase == .trouble && chance(0.02, &random) }
        let report = store.settle(batch, locked: Set(locked), now: databaseNow)
        note("database: agent \(life.agent) settles \(batch.map(\.user)), lost \(report.lost), skipped \(locked)")
        figures.lostLeases += report.lost
        if agents[life.agent].life == life.life {
            for settlement in batch where !locked.contains(settlement.user) {
                agents[life.agent].sentLate[settlement.lease] = nil
            }
        }
        checkSharing()
        return report
    }

    /// An answer reaches the agent's shell.
    mutating func hear(_ answer: DatabaseAnswer, _ index: Int) {
        switch answer {
        case .claimed(let batch, let claimedAt): return plan(batch, claimedAt, index)
        case .counted(let changed, let known, let planned):
            let isTooMany = agents[index].gauge.counted(changed: changed, of: known, at: agents[index].instant(now))
            return isTooMany ? dispatch(.brake(planned), index) : askForAdmission(planned, index)
        case .braked(let planned): return askForAdmission(holding(planned), index)
        case .admitted(let verdicts, let planned): finishDeskWork(.claimed(haul(planned, verdicts)), index)
        case .settled(let report): finishDeskWork(.settled(report), index)
        case .done: finishDeskWork(nil, index)
        case .failed(.beginClaim), .failed(.claim): finishDeskWork(.claimFailed, index)
        case .failed(.settle(let batch)): finishDeskWork(.settleFailed(batch), index)
        case .failed(.admit(_, let planned)), .failed(.count(let planned)), .failed(.brake(let planned)):
            finishDeskWork(.claimed(releasing(planned)), index)
        case .failed(.suspect):
            watch.rejected = [:]
            finishDeskWork(nil, index)
        case .failed(.throttle), .failed(.pause), .failed(.resume): finishDeskWork(nil, index)
        }
    }

    private mutating func finishDeskWork(_ event: DispatcherEvent?, _ index: Int) {
        agents[index].isDeskBusy = false
        let life = agents[index].life
        if let event { handle(event, index) }
        if agents[index].life == life { askNext(index) }
    }

    /// Plans each claim; where a call may create a subscriber, the database is asked first.
    private mutating func plan(_ batch: ModelClaimBatch, _ claimedAt: Instant, _ index: Int) {
        let plans = batch.claims.map { ($0, PushPlan(for: $0, rules: settings.rules)) }
        let planned = PlannedClaims(plans: plans, batch: batch, claimedAt: claimedAt)
        if isCountDue(planned, index) { return dispatch(.count(planned), index) }
        let isBraked = batch.isBraked && !store.mistakes.contains(.brakeNotAsked)
        askForAdmission(isBraked ? holding(planned) : planned, index)
    }

    /// Takes out those whom the brake on mass changes holds.
    private mutating func holding(_ planned: PlannedClaims) -> PlannedClaims {
        var planned = planned
        planned.held = planned.plans.compactMap { claim, plan in
            guard case .push(let push) = plan, push.isHeldByBrake(claim) else { return nil }
            return Settlement(braking: claim, push: push)
        }
        planned.plans.removeAll { $1.isHeldByBrake($0) }
        figures.braked += planned.held.count
        return planned
    }

    private mutating func askForAdmission(_ planned: PlannedClaims, _ index: Int) {
        let requests = planned.plans.compactMap { claim, plan -> ModelAdmissionRequest? in
            guard case .push(let push) = plan, push.needsAdmission else { return nil }
            return ModelAdmissionRequest(user: claim.user, lease: claim.lease, reference: push.reference)
        }
        guard !requests.isEmpty else { return finishDeskWork(.claimed(haul(planned, [:])), index) }
        dispatch(.admit(requests, planned), index)
    }

    private func haul(_ planned: PlannedClaims, _ verdicts: [UserKey: Admission]) -> Haul {
        var haul = planned.emptyHaul
        haul.settlements = planned.held
        for (claim, plan) in planned.plans {
            guard let decided = verdicts[claim.user].map(plan.admitted) ?? plan else { continue }
            if case .push(let push) = decided {
                haul.jobs.append(Job(claim: claim, push: push, claimedAt: planned.claimedAt))
            } else if let settlement = Settlement(of: claim, plan: decided) {
                haul.settlements.append(settlement)
            }
        }
        return haul
    }

    private func releasing(_ planned: PlannedClaims) -> Haul {
        var haul = planned.emptyHaul
        haul.settlements = planned.held + planned.plans.map { Settlement(releasing: $0.0) }
        return haul
    }
}

extension PlannedClaims {
    fileprivate var emptyHaul: Haul {
        Haul(gate: batch.gate, folded: batch.folded, nextDue: batch.nextDue.map { .milliseconds($0) })
    }
}

extension DatabaseStatement {
    fileprivate var name: String {
        switch self {
        case .beginClaim, .claim: "claim"
        case .count: "count"
        case .brake: "brake"
        case .admit: "admit"
        case .settle: "settle"
        case .throttle: "throttle"
        case .pause: "pause"
        case .suspect: "suspect"
        case .resume: "resume"
        }
    }
}
