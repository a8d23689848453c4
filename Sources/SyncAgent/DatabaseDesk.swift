import Logging
import SyncCore
import SyncStore

/// What the loop asks of the database, one after the other and in the order it was asked.
enum DatabaseWork: Sendable {
    case claim(limit: Int)
    case settle([Settlement])
    case throttleFleet(Duration)
    case pauseFleet(Problem)
    case resumeFleet
}

/// Does the work and turns what came of it into an event. It decides nothing but what a claim means.
struct DatabaseDesk: Sendable {
    let keeper: StoreKeeper
    let rules: PushRules
    let newSubscriberLimit: Int?
    let clock: MonotonicClock
    let narrator: Narrator

    /// - Returns: the event to answer with; the fleet's switches have none.
    func perform(_ work: DatabaseWork) async -> DispatcherEvent? {
        switch work {
        case .claim(let limit): return await claim(limit)
        case .settle(let batch): return await settle(batch)
        case .throttleFleet(let wait):
            await tell("throttle") { store async throws(StoreError) in try await store.throttle(for: wait) }
        case .pauseFleet(let problem):
            await tell("pause") { store async throws(StoreError) in try await store.pauseForAccount(problem) }
        case .resumeFleet:
            await tell("resume") { store async throws(StoreError) in try await store.resumeAfterProbe() }
        }
        return nil
    }

    private func claim(_ limit: Int) async -> DispatcherEvent {
        // Before the statement is sent, so that no lease is thought to last longer than it does.
        let claimedAt = clock.now
        do {
            let batch = try await keeper.run(reads: { !$0.claims.isEmpty }) { store async throws(StoreError) in
                try await store.claim(limit: limit)
            }
            narrator.databaseAnswered()
            narrator.gateSeen(batch.gate)
            var haul = await haul(of: batch, claimedAt: claimedAt)
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
            while try await store.fold() == Store.foldLimit {}
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
        var haul = Haul(gate: batch.gate, folded: batch.folded, nextDue: batch.nextDue)
        let isAskedFor = planned.contains { $0.1.needsAdmission }
        let gone = isAskedFor ? planned.filter { $0.1.isDeletion } : []
        haul.settlements = await settleFirst(gone.compactMap { Settlement(of: $0, plan: $1) })
        await plan(planned.filter { claim, plan in !isAskedFor || !plan.isDeletion }, into: &haul, claimedAt: claimedAt)
        return haul
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
            let admissions = try await keeper.any.admit(requests(in: planned), limit: newSubscriberLimit)
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
