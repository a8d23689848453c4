import SyncCore
import Testing

@Suite("A probe during an account pause") struct ProbeTests {
    private static func job(_ lease: Int64) throws -> Job {
        let user = UserKey(String(lease))
        let claim = Claim(
            user: user, lease: Lease(token: lease), version: 1, attempt: 1, standing: .unsynced,
            source: .present(Reference("a@x"), Profile(columns: [:]), ProfileDigests(values: [:], empty: [:])),
            admitted: nil, subscriber: nil, told: [:], isDoubted: false)
        guard case .push(let push) = PushPlan(for: claim, rules: PushRules()) else { throw CancellationError() }
        return Job(claim: claim, push: push, claimedAt: Instant(nanoseconds: 0))
    }

    private static func resumes(_ actions: [DispatcherAction]) -> Bool {
        actions.contains { if case .resumeFleet = $0 { true } else { false } }
    }

    @Test("ends the pause when it is accepted, also if another claim met the pause meanwhile")
    func ends() throws {
        let id = try #require(SubscriberID("32d94154-9297-418c-9a85-4a69e0c67c30"))
        let now = Instant(nanoseconds: 1)
        let (probe, older) = (try Self.job(2), try Self.job(1))
        var dispatcher = Dispatcher(settings: DispatcherSettings(rate: 0), seed: 1)
        _ = dispatcher.handle(.started, at: now)
        _ = dispatcher.handle(.claimed(Haul(jobs: [older])), at: now)
        _ = dispatcher.handle(.claimed(Haul(jobs: [probe], gate: .probing)), at: now)
        _ = dispatcher.handle(.claimed(Haul(gate: .paused(probeAfter: .seconds(5)), nextDue: .zero)), at: now)
        let early = dispatcher.handle(.answered(older, PushAnswer(outcome: .accepted(id))), at: now)
        #expect(!Self.resumes(early), "a call from before the pause proves nothing")
        let late = dispatcher.handle(.answered(probe, PushAnswer(outcome: .accepted(id))), at: now)
        #expect(Self.resumes(late))
    }
}
