import SyncCore
import Testing

@testable import SyncCore

@Suite("The breaker on equal rejections") struct RejectionBreakerTests {
    static let start = Instant(nanoseconds: 0)

    /// Feeds answers, a second apart, and returns how many it took until it tripped.
    static func trips(_ breaker: inout RejectionBreaker, _ answers: [(String, PushOutcome)]) -> (Int, Suspicion)? {
        for (index, (user, outcome)) in answers.enumerated() {
            let now = start + .seconds(index)
            if let suspicion = breaker.take(outcome, of: UserKey(user), at: now) { return (index + 1, suspicion) }
        }
        return nil
    }

    static func rejected(_ code: String = "invalid", _ attribute: String? = nil) -> PushOutcome {
        .rejected(Problem(code: code, message: "It is.", attribute: attribute))
    }

    static func accepted() throws -> PushOutcome {
        .accepted(try #require(SubscriberID("00000000-0000-4000-8000-000000000001")))
    }

    @Test("trips at the threshold, over different users, and says since when")
    func trips() throws {
        var breaker = RejectionBreaker(threshold: 3)
        let answers = ["a", "b", "b", "b", "c", "d"].map { ($0, Self.rejected()) }
        let (count, suspicion) = try #require(Self.trips(&breaker, answers))
        #expect(count == 5)
        #expect(suspicion.users == 3 && suspicion.lasting == .seconds(4))
        #expect(Self.trips(&breaker, [("e", Self.rejected())]) == nil, "and begins anew")
    }

    @Test("is calmed by a success or another rejection, and not by what says nothing about the request")
    func calms() throws {
        let silent = PushOutcome.unavailable(Problem(code: "timeout", message: "It is."), .unanswered)
        for (between, doesTrip) in [
            (try Self.accepted(), false), (Self.rejected("other"), false), (Self.rejected("invalid", "region"), false),
            (silent, true), (.throttled(retryAfter: nil, Problem(code: "rate_limit_exceeded", message: "")), true),
        ] {
            var breaker = RejectionBreaker(threshold: 2)
            let answers = [("a", Self.rejected()), ("b", between), ("c", Self.rejected())]
            #expect((Self.trips(&breaker, answers) != nil) == doesTrip, "\(between)")
        }
    }

    @Test("never trips at zero")
    func isOff() {
        var breaker = RejectionBreaker(threshold: 0)
        #expect(Self.trips(&breaker, (1...99).map { ("u\($0)", Self.rejected()) }) == nil)
    }

    @Test("hands back what waits, and has the fleet paused")
    func dispatches() throws {
        var dispatcher = Dispatcher(settings: DispatcherSettings(rate: 0, equalRejections: 2), seed: 1)
        _ = dispatcher.handle(.started, at: Self.start)
        let jobs = try (1...40).map { try #require(Sample.job($0)) }
        _ = dispatcher.handle(.claimed(Haul(jobs: jobs)), at: Self.start)
        let answer = PushAnswer(outcome: Self.rejected())
        _ = dispatcher.handle(.answered(jobs[0], answer), at: Self.start)
        let actions = dispatcher.handle(.answered(jobs[1], answer), at: Self.start)
        let suspects = actions.contains { action in
            if case .suspectFleet(let suspicion) = action { suspicion.users == 2 } else { false }
        }
        #expect(suspects)
        #expect(dispatcher.queue.isEmpty)
    }
}

@Suite("A pause that comes while a claim is under way") struct StaleHaulTests {
    @Test("keeps what that claim brings from being pushed, and not what the next one brings")
    func handsBack() throws {
        let start = Instant(nanoseconds: 0)
        var dispatcher = Dispatcher(settings: DispatcherSettings(concurrency: 2, rate: 0, equalRejections: 1), seed: 1)
        _ = dispatcher.handle(.started, at: start)
        let first = try #require(Sample.job(1))
        let actions = dispatcher.handle(.claimed(Haul(jobs: [first], folded: 2)), at: start)
        let isUnderWay = actions.contains { if case .claim = $0 { true } else { false } }
        #expect(isUnderWay)
        let answer = PushAnswer(outcome: .rejected(Sample.problem))
        _ = dispatcher.handle(.answered(first, answer), at: start + .seconds(9))
        let stale = dispatcher.handle(
            .claimed(Haul(jobs: [try #require(Sample.job(2))])), at: start + .seconds(9))
        #expect(!stale.contains { if case .push = $0 { true } else { false } })
        #expect(dispatcher.queue.isEmpty)
        let next = dispatcher.handle(
            .claimed(Haul(jobs: [try #require(Sample.job(3, claimedAt: start + .seconds(9)))])), at: start + .seconds(9)
        )
        #expect(next.contains { if case .push = $0 { true } else { false } })
    }
}

@Suite("The gauge of mass changes") struct BlastGaugeTests {
    static let start = Instant(nanoseconds: 0)

    /// A gauge that can be asked inside of an expectation.
    final class Held {
        private var gauge: BlastGauge

        init(_ percent: Int) { gauge = BlastGauge(sharePercent: percent) }

        func folded(
            _ changes: Int, leavingMore: Bool = false, pushing pushes: Int = 0, agents: Int = 1, after seconds: Int = 0
        ) -> Bool {
            gauge.claimed(
                folding: changes, leavingMore: leavingMore, overwriting: pushes, agents: agents,
                at: BlastGaugeTests.start + .seconds(seconds))
        }

        @discardableResult
        func counted(changed: Int, of known: Int) -> Bool {
            gauge.counted(changed: changed, of: known, at: BlastGaugeTests.start)
        }
    }

    @Test("counts at the first change, and then when the limit may have been reached, or a while has passed")
    func countsWhenNeeded() {
        let gauge = Held(30)
        #expect(!gauge.folded(0))
        #expect(gauge.folded(1))
        #expect(!gauge.counted(changed: 1, of: 1000))
        #expect(!gauge.folded(298))
        #expect(gauge.folded(1))
        #expect(!gauge.counted(changed: 300, of: 1000))
        #expect(gauge.folded(1))
        #expect(gauge.counted(changed: 301, of: 1000))

        let shared = Held(30)
        shared.counted(changed: 0, of: 1000)
        #expect(!shared.folded(99, agents: 3))
        #expect(shared.folded(1, agents: 3), "two others may have folded as many")

        let slow = Held(30)
        slow.counted(changed: 0, of: 1000)
        #expect(!slow.folded(1, after: 9))
        #expect(slow.folded(1, after: 10))
    }

    @Test("counts for pushes of what somebody else has folded")
    func countsPushes() {
        let gauge = Held(30)
        #expect(gauge.folded(0, pushing: 1), "the first")
        gauge.counted(changed: 0, of: 1000)
        #expect(!gauge.folded(0, pushing: 299))
        #expect(gauge.folded(0, pushing: 1))
        gauge.counted(changed: 0, of: 1000)
        #expect(gauge.folded(0, pushing: 1, after: 10))
        #expect(!gauge.folded(0, after: 20), "nothing to push")
    }

    @Test("counts what waits once when a claim leaves changes behind, and again after one that left none")
    func countsBacklogs() {
        let gauge = Held(30)
        gauge.counted(changed: 0, of: 100_000)
        #expect(!gauge.folded(500))
        #expect(gauge.folded(500, leavingMore: true))
        #expect(gauge.folded(500, leavingMore: true), "the count failed")
        gauge.counted(changed: 0, of: 100_000)
        #expect(!gauge.folded(500, leavingMore: true))
        #expect(!gauge.folded(20))
        #expect(gauge.folded(500, leavingMore: true))
        #expect(!Held(0).folded(500, leavingMore: true), "there is no limit")
    }

    @Test("wants so many known users counted that the limit is twice what changed, at every share and count")
    func countsFew() {
        for share in 1...100 {
            let gauge = BlastGauge(sharePercent: share)
            for changed in [0, 1, 59, 60, 61, 1000, 299_999] {
                let worthCounting = max(gauge.fewest, gauge.knownPerChange * changed)
                #expect(gauge.limit(of: worthCounting) ?? 0 >= 2 * changed, "\(share) percent, \(changed)")
            }
        }
    }

    @Test("says nothing of few users, and nothing at all at zero")
    func limits() {
        #expect(BlastGauge(sharePercent: 30).limit(of: 199) == nil)
        #expect(BlastGauge(sharePercent: 30).limit(of: 200) == 60)
        #expect(BlastGauge(sharePercent: 0).limit(of: 1000) == nil)
        #expect(!Held(0).folded(1_000_000))
        #expect(!Held(30).counted(changed: 150, of: 150))
    }
}
