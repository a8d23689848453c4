import Logging
import NIOConcurrencyHelpers
import SyncCore
import SyncStore

/// What the loop asks of the database, one after the other and in the order it was asked.
enum DatabaseWork: Sendable {
    case claim(limit: Int)
    case settle([Settlement])
    case throttleFleet(Duration)
    case pauseFleet(Problem)
    case suspectFleet(Suspicion)
    case resumeFleet
}

/// Does the work and turns what came of it into an event. It decides nothing but what a claim means.
struct DatabaseDesk: Sendable {
    let keeper: StoreKeeper
    let rules: PushRules
    let newSubscriberLimit: @Sendable () -> Int?
    let clock: MonotonicClock
    let narrator: Narrator
    /// Where looks begin.
    let bounds: NIOLockedValueBox<LookBounds>
    /// When to count how many changed, and the count of the known that it goes by.
    let blast: NIOLockedValueBox<BlastGauge>
    /// How many agents fold.
    let agents: @Sendable () -> Int

    /// - Returns: the event to answer with; the fleet's switches have none.
    func perform(_ work: DatabaseWork) async -> DispatcherEvent? {
        switch work {
        case .claim(let limit): return await claim(limit)
        case .settle(let batch): return await settle(batch)
        case .throttleFleet(let wait):
            await tell("throttle") { store async throws(StoreError) in try await store.throttle(for: wait) }
        case .pauseFleet(let problem):
            await tell("pause") { store async throws(StoreError) in try await store.pauseForAccount(problem) }
        case .suspectFleet(let suspicion):
            await tell("pause") { store async throws(StoreError) in try await store.pauseForSuspicion(suspicion) }
        case .resumeFleet:
            await tell("resume") { store async throws(StoreError) in try await store.resumeAfterProbe() }
        }
        return nil
    }

    private func claim(_ limit: Int) async -> DispatcherEvent {
        // Before the statement is sent, so that no lease is thought to last longer than it does.
        let claimedAt = clock.now
        do {
            let start = bounds.withLockedValue { $0.next(at: claimedAt) }
            let (related, batch) = try await keeper.run(reads: { !$0.1.claims.isEmpty }) {
                store async throws(StoreError) in
                (try await store.expandRelated(), try await store.claim(limit: limit, from: start))
            }
            bounds.withLockedValue {
                $0.looked(from: start, reached: batch.reached, folded: batch.folded, at: claimedAt)
            }
            narrator.databaseAnswered()
            narrator.gateSeen(batch.gate)
            var haul = await haul(of: batch, claimedAt: claimedAt)
            // Whoever was found by a related table waits in `change` by now, or is in this claim already.
            haul.folded += related
            // Only a whole look can say that nobody is due.
            if start != nil, haul.nextDue == nil { haul.nextDue = .zero }
            if case .paused = batch.gate, await resumesAfterFit() { haul.gate = .open }
            return .claimed(haul)
        } catch {
            guard error.code == .mismatch else {
                narrator.databaseFailed(error, doing: "claim")
                return .claimFailed
            }
            await standDown(error)
            narrator.sourceFailed(error)
            return .sourceMisfit
        }
    }

    /// The source is not what the mapping says, or can't be read: nobody pushes, and changes are folded without it.
    private func standDown(_ misfit: StoreError) async {
        if await keeper.findsMisfit() {
            await tell("pause") { store async throws(StoreError) in try await store.pauseForSource(misfit) }
        }
        await tell("fold") { store async throws(StoreError) in
            while try await store.fold() == Store.foldPage {}
        }
    }

    /// Ends a pause that a mapping which doesn't fit had made, where this agent's fits.
    ///
    /// - Returns: whether there was one, and it is over.
    private func resumesAfterFit() async -> Bool {
        do {
            guard try await keeper.any.resumeAfterFit() else { return false }
            await keeper.findsFit()
            return true
        } catch {
            // A trial that fails on the source is why it is paused.
            if !error.mayBeSource { narrator.databaseFailed(error, doing: "resume") }
            return false
        }
    }

    /// Plans each claim, and asks for admission where a call may create a subscriber.
    ///
    /// Who is gone is settled first: a changed key comes as one user gone and one new, and the new one can
    /// have the reference only once the other has given it back.
    private func haul(of batch: ClaimBatch, claimedAt: Instant) async -> Haul {
        let planned = batch.claims.map { ($0, PushPlan(for: $0, rules: rules)) }
        let isBraked: Bool
        do {
            isBraked = try await self.isBraked(batch, overwriting: planned.count { $1.isHeldByBrake($0) })
        } catch {
            narrator.databaseFailed(error, doing: "count changes")
            let released = batch.claims.map(Settlement.init(releasing:))
            return Haul(settlements: released, gate: batch.gate, folded: batch.folded, nextDue: batch.nextDue)
        }
        var haul = Haul(gate: batch.gate, folded: batch.folded, nextDue: batch.nextDue)
        let isAskedFor = planned.contains { $0.1.needsAdmission }
        let gone = isAskedFor ? planned.filter { $0.1.isDeletion } : []
        haul.settlements = await settleFirst(gone.compactMap { Settlement(of: $0, plan: $1) })
        let rest = planned.filter { claim, plan in !isAskedFor || !plan.isDeletion }
        let isHeld = { (claim: Claim, plan: PushPlan) in isBraked && plan.isHeldByBrake(claim) }
        haul.settlements += rest.compactMap { claim, plan in
            guard isHeld(claim, plan), case .push(let push) = plan else { return nil }
            return Settlement(braking: claim, push: push)
        }
        await plan(rest.filter { !isHeld($0, $1) }, into: &haul, claimedAt: claimedAt)
        return haul
    }

    /// Whether changes of known users are held: because they were before, or because too many came now.
    private func isBraked(_ batch: ClaimBatch, overwriting pushes: Int) async throws(StoreError) -> Bool {
        if batch.isBraked { return true }
        let agents = agents()
        let isCountDue = blast.withLockedValue {
            $0.claimed(
                folding: batch.folded, leavingMore: batch.folded >= Store.foldLimit, overwriting: pushes,
                agents: agents, at: clock.now)
        }
        guard isCountDue else { return false }
        let store = await keeper.any
        let count = try await store.countChanges(from: batch.oldestChange, for: blast.withLockedValue { $0 })
        let isTooMany = blast.withLockedValue {
            $0.counted(changed: count.changed, of: count.known, at: clock.now)
        }
        guard isTooMany else { return false }
        if try await store.brake(count) { narrator.braked(count.changed, count.known) }
        return true
    }

    /// - Returns: what could not be written now, for the usual way.
    private func settleFirst(_ settlements: [Settlement]) async -> [Settlement] {
        guard !settlements.isEmpty else { return [] }
        do {
            let report = try await keeper.any.settle(settlements)
            narrator.settled(settlements, report)
            return report.skipped
        } catch {
            narrator.databaseFailed(error, doing: "settle")
            return settlements
        }
    }

    private func plan(
        _ planned: [(Claim, PushPlan)], into haul: inout Haul, claimedAt: Instant
    ) async {
        do {
            let admissions = try await keeper.any.admit(requests(in: planned), limit: newSubscriberLimit())
            for (claim, plan) in planned {
                guard let plan = plan.needsAdmission ? plan.admitted(as: admissions[claim.user] ?? .leaseLost) : plan
                else { continue }
                haul.add(claim, plan, claimedAt: claimedAt)
            }
        } catch {
            narrator.databaseFailed(error, doing: "admit")
            haul.settlements += planned.map { Settlement(releasing: $0.0) }
        }
    }

    private func requests(in planned: [(Claim, PushPlan)]) -> [AdmissionRequest] {
        planned.compactMap { claim, plan in
            guard case .push(let push) = plan, push.needsAdmission else { return nil }
            return AdmissionRequest(user: claim.user, lease: claim.lease, reference: push.reference)
        }
    }

    private func settle(_ batch: [Settlement]) async -> DispatcherEvent {
        do {
            let report = try await keeper.any.settle(batch)
            narrator.databaseAnswered()
            narrator.settled(batch, report)
            return .settled(report)
        } catch {
            narrator.databaseFailed(error, doing: "settle")
            return .settleFailed(batch)
        }
    }

    private func tell(_ what: String, _ work: (Store) async throws(StoreError) -> Void) async {
        do {
            try await work(await keeper.any)
        } catch {
            // The next answer of the same kind says it again.
            narrator.databaseFailed(error, doing: what)
        }
    }
}

extension PushPlan {
    /// Whether the brake on mass changes holds it.
    func isHeldByBrake(_ claim: Claim) -> Bool {
        switch self {
        case .push(let push): push.isHeldByBrake(claim)
        case .nothing, .hold, .forget: false
        }
    }

    /// Whether the user's row is gone.
    var isDeletion: Bool {
        switch self {
        case .forget(.deleted): true
        case .nothing, .push, .hold, .forget(.outOfScope): false
        }
    }

    var needsAdmission: Bool {
        switch self {
        case .push(let push): push.needsAdmission
        case .nothing, .hold, .forget: false
        }
    }
}

extension Haul {
    /// Sorts one planned claim to where it goes on.
    mutating func add(_ claim: Claim, _ plan: PushPlan, claimedAt: Instant) {
        switch plan {
        case .push(let push): jobs.append(Job(claim: claim, push: push, claimedAt: claimedAt))
        case .nothing, .hold, .forget:
            if let settlement = Settlement(of: claim, plan: plan) { settlements.append(settlement) }
        }
    }
}
