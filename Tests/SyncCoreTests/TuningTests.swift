import SyncCore
import Testing

@Suite("A dispatcher whose settings change") struct TuningTests {
    private static func pushes(_ actions: [DispatcherAction]) -> Int {
        actions.count { if case .push = $0 { true } else { false } }
    }

    private static func started(_ settings: DispatcherSettings, _ jobs: Int64, at now: Instant) -> (Dispatcher, Int) {
        var dispatcher = Dispatcher(settings: settings, seed: 1)
        _ = dispatcher.handle(.started, at: now)
        let haul = Haul(jobs: (1...jobs).compactMap { Sample.job($0, claimedAt: now) })
        let begun = pushes(dispatcher.handle(.claimed(haul), at: now))
        return (dispatcher, begun)
    }

    private let now = Instant(nanoseconds: 1_000_000_000)

    @Test("begins more calls at once as soon as it may")
    func moreCalls() {
        var (dispatcher, begun) = Self.started(DispatcherSettings(concurrency: 2, rate: 0), 6, at: now)
        #expect(begun == 2)
        let tuning = DispatcherTuning(concurrency: 5, rate: 0, equalRejections: 0)
        #expect(Self.pushes(dispatcher.handle(.tuned(tuning), at: now)) == 3)
        #expect(dispatcher.concurrency == 5 && dispatcher.inFlight == 5)
    }

    @Test("begins none while more are in flight than may be")
    func fewerCalls() throws {
        var (dispatcher, begun) = Self.started(DispatcherSettings(concurrency: 4, rate: 0), 12, at: now)
        #expect(begun == 4)
        let tuning = DispatcherTuning(concurrency: 2, rate: 0, equalRejections: 0)
        #expect(Self.pushes(dispatcher.handle(.tuned(tuning), at: now)) == 0)
        let accepted = try #require(Sample.subscriber.map { PushAnswer(outcome: .accepted($0)) })
        for number in Int64(1)...3 {
            let job = try #require(Sample.job(number, claimedAt: now))
            let begun = Self.pushes(dispatcher.handle(.answered(job, accepted), at: now))
            #expect(begun == (number < 3 ? 0 : 1))
        }
    }

    @Test("shares the new rate with as many agents as the old one")
    func rate() {
        var (dispatcher, _) = Self.started(DispatcherSettings(concurrency: 100, rate: 1), 200, at: now)
        _ = dispatcher.handle(.fleetCounted(4), at: now)
        _ = dispatcher.handle(.tuned(DispatcherTuning(concurrency: 100, rate: 400, equalRejections: 0)), at: now)
        // A tenth of a second's worth at once, of 100 a second.
        #expect(Self.pushes(dispatcher.handle(.ticked, at: now + .seconds(2))) == 10)
    }
}
