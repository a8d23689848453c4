import SyncCore
import Testing

@Suite("The limit of concurrency")
struct ConcurrencyLimitTests {
    /// A server with so many places, each busy for as long as a call takes without waiting; the others queue. A client
    /// that always has something to send keeps as many calls in flight as the limit allows.
    private struct ClosedLoop {
        var limit: ConcurrencyLimit
        var places: Int
        var latency: ClosedRange<Int64>
        /// The higher, the more of them are short and the longer are the others.
        var skew = 1
        /// What every so many-th call is answered with instead.
        var trouble: (every: Int, outcome: PushOutcome)?
        var now = Instant(nanoseconds: 1_000_000_000)
        var random = SeededRandom(seed: 7)
        var figures = Figures()
        private var inFlight: [(ends: Instant, began: Instant)] = []
        private var freeAt: [Instant] = []
        private var calls = 0

        struct Figures {
            var answers = 0
            var lowest = Int.max
            var highest = 0
            var total = 0
            var mean: Double { Double(total) / Double(max(answers, 1)) }
        }

        init(ceiling: Int = 32, places: Int, milliseconds: ClosedRange<Int64>) {
            limit = ConcurrencyLimit(ceiling: ceiling)
            self.places = places
            latency = milliseconds
        }

        /// - Returns: what happened within that time.
        mutating func run(for span: Duration) -> Figures {
            figures = Figures()
            let end = now + span
            while now < end { step() }
            return figures
        }

        private mutating func step() {
            while inFlight.count < limit.value { begin() }
            guard let index = inFlight.indices.min(by: { inFlight[$0].ends < inFlight[$1].ends }) else { return }
            let call = inFlight[index]
            now = max(now, call.ends)
            calls += 1
            var outcome = Sample.subscriber.map { PushOutcome.accepted($0) } ?? .rejected(Sample.problem)
            if let trouble, calls % trouble.every == 0 { outcome = trouble.outcome }
            limit.hear(PushAnswer(outcome: outcome, duration: now - call.began), at: now, inFlight: inFlight.count)
            inFlight.remove(at: index)
            figures.answers += 1
            figures.lowest = min(figures.lowest, limit.value)
            figures.highest = max(figures.highest, limit.value)
            figures.total += limit.value
        }

        private mutating func begin() {
            freeAt = freeAt.filter { $0 > now }
            while freeAt.count >= places {
                // The earliest place that becomes free is taken by this one.
                guard let index = freeAt.indices.min(by: { freeAt[$0] < freeAt[$1] }) else { break }
                return take(from: freeAt.remove(at: index))
            }
            take(from: now)
        }

        private mutating func take(from start: Instant) {
            let part = (0..<skew).reduce(1.0) { part, _ in part * .random(in: 0...1, using: &random) }
            let milliseconds = Double(latency.lowerBound) + part * Double(latency.upperBound - latency.lowerBound)
            let ends = start + .nanoseconds(Int64(milliseconds * 1e6))
            freeAt.append(ends)
            inFlight.append((ends, now))
        }
    }

    private static var accepted: PushOutcome { Sample.subscriber.map { .accepted($0) } ?? .account(Sample.problem) }
    private static let unavailable = PushOutcome.unavailable(Sample.problem, .answered)
    private static let throttled = PushOutcome.throttled(retryAfter: nil, Sample.problem)

    @Test("stays at the ceiling while calls take what they take", arguments: [1, 50, 500, 5000])
    func steady(milliseconds: Int64) {
        var loop = ClosedLoop(places: 1000, milliseconds: milliseconds...milliseconds)
        let figures = loop.run(for: .milliseconds(100 * milliseconds))
        #expect(figures.lowest == 32 && figures.highest == 32 && figures.answers >= 32 * 99)
    }

    @Test(
        "stays there, too, where they take now this long and now that",
        arguments: [(1...40, 1), (30...120, 1), (200...1500, 1), (5...100, 3), (20...400, 3), (1...3000, 1)])
    func uneven(milliseconds: ClosedRange<Int64>, skew: Int) {
        var loop = ClosedLoop(places: 1000, milliseconds: milliseconds)
        loop.skew = skew
        // After a bad beginning.
        loop.trouble = (2, Self.unavailable)
        _ = loop.run(for: .seconds(20))
        loop.trouble = nil
        _ = loop.run(for: .seconds(200))
        let figures = loop.run(for: .seconds(300))
        #expect(figures.mean > 31, "\(figures)")
    }

    @Test(
        "settles between one and two and a half knees where latency grows with the load, and loses little throughput",
        arguments: [2, 5, 10], [(45...55, 93), (10...90, 80)])
    func queue(places: Int, calls: (milliseconds: ClosedRange<Int64>, percent: Int)) {
        var loop = ClosedLoop(places: places, milliseconds: calls.milliseconds)
        _ = loop.run(for: .seconds(20))
        for _ in 0..<20 {
            let figures = loop.run(for: .seconds(60))
            guard figures.highest <= 5 * places / 2 + 4,
                figures.answers > 60 * 20 * places * calls.percent / 100
            else {
                Issue.record("\(figures)")
                return
            }
        }
    }

    @Test("comes back to the ceiling after the queue has gone")
    func recovers() {
        var loop = ClosedLoop(places: 4, milliseconds: 50...50)
        _ = loop.run(for: .seconds(20))
        loop.places = 1000
        _ = loop.run(for: .seconds(10))
        #expect(loop.limit.value == 32)
    }

    @Test("takes for normal what doesn't become faster with less load", arguments: [(50, 500), (100, 900), (500, 50)])
    func longerWay(before: Int64, after: Int64) {
        var loop = ClosedLoop(places: 1000, milliseconds: before...before)
        _ = loop.run(for: .seconds(10))
        loop.latency = after...after
        let change = loop.run(for: .seconds(40))
        #expect(change.lowest >= 4)
        #expect(loop.limit.value == 32)
    }

    @Test(
        "is halved by answers that say so or don't come, once a round trip, and comes back",
        arguments: [unavailable, throttled, .unavailable(Sample.problem, .unanswered)])
    func halves(outcome: PushOutcome) {
        var limit = ConcurrencyLimit(ceiling: 32)
        var now = Instant(nanoseconds: 1_000_000_000)
        // All that were in flight come back in one round trip.
        for number in 0..<32 {
            limit.hear(PushAnswer(outcome: outcome, duration: .milliseconds(50)), at: now, inFlight: 32 - number)
            now = now + .milliseconds(1)
        }
        #expect(limit.value == 16)
        now = now + .milliseconds(50)
        limit.hear(PushAnswer(outcome: outcome, duration: .milliseconds(40)), at: now, inFlight: 16)
        #expect(limit.value == 8)
        for _ in 0..<20 {
            now = now + .milliseconds(50)
            limit.hear(PushAnswer(outcome: outcome, duration: .milliseconds(40)), at: now, inFlight: 8)
        }
        #expect(limit.value == 1, "never less")
        var loop = ClosedLoop(places: 1000, milliseconds: 50...50)
        loop.limit = limit
        loop.now = now
        _ = loop.run(for: .seconds(4))
        #expect(loop.limit.value == 32)
    }

    @Test("finds its level where every hundredth call is turned away")
    func someThrottled() {
        var loop = ClosedLoop(places: 1000, milliseconds: 50...50)
        loop.trouble = (100, Self.throttled)
        _ = loop.run(for: .seconds(10))
        let figures = loop.run(for: .seconds(60))
        #expect((6.0...24).contains(figures.mean), "\(figures)")
    }

    @Test("ignores refusals, which are answers, and what the account says", arguments: [true, false])
    func refusals(isAccount: Bool) {
        let outcome = isAccount ? PushOutcome.account(Sample.problem) : .rejected(Sample.problem)
        var limit = ConcurrencyLimit(ceiling: 8)
        var now = Instant(nanoseconds: 1_000_000_000)
        // Refusals come at once, work takes its time: neither is mistaken for the other.
        for number in 0..<400 {
            now = now + .milliseconds(80)
            let answer =
                number % 2 == 0
                ? PushAnswer(outcome: outcome, duration: .milliseconds(1))
                : PushAnswer(outcome: Self.accepted, duration: .milliseconds(200))
            limit.hear(answer, at: now, inFlight: 8)
            #expect(limit.value == 8)
        }
    }

    @Test("is raised by refusals all the same: somebody answers")
    func raisedByRefusals() {
        var limit = ConcurrencyLimit(ceiling: 8)
        var now = Instant(nanoseconds: 1_000_000_000)
        limit.hear(PushAnswer(outcome: Self.unavailable, duration: .milliseconds(9)), at: now, inFlight: 8)
        #expect(limit.value == 4)
        for _ in 0..<100 {
            now = now + .milliseconds(50)
            limit.hear(PushAnswer(outcome: .rejected(Sample.problem), duration: .milliseconds(9)), at: now, inFlight: 8)
        }
        #expect(limit.value == 8)
    }

    @Test("hears nothing while less than half of it is used, because something else is what limits")
    func unused() {
        var limit = ConcurrencyLimit(ceiling: 32)
        var now = Instant(nanoseconds: 1_000_000_000)
        for step in 1...200 {
            now = now + .milliseconds(500)
            let outcome = step % 3 == 0 ? Self.unavailable : Self.accepted
            limit.hear(PushAnswer(outcome: outcome, duration: .milliseconds(step * 2)), at: now, inFlight: 15)
            #expect(limit.value == 32)
        }
    }

    @Test("stays between 1 and the ceiling, whatever comes", arguments: UInt64(1)...30)
    func bounds(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let ceiling = Int.random(in: -1...40, using: &random)
        var limit = ConcurrencyLimit(ceiling: ceiling)
        #expect(limit.value == max(1, ceiling))
        var now = Instant(nanoseconds: 0)
        let outcomes = [
            Self.accepted, Self.unavailable, Self.throttled, .rejected(Sample.problem), .account(Sample.problem),
        ]
        for _ in 0..<2000 {
            now = now + .nanoseconds(Int64.random(in: 0...900_000_000, using: &random))
            let nanoseconds =
                Int64.random(in: 0...1_000_000_000, using: &random) << Int64.random(in: 0...32, using: &random)
            let outcome = outcomes[min(4, Int.random(in: 0...30, using: &random))]
            limit.hear(
                PushAnswer(
                    outcome: Int.random(in: 0...3, using: &random) == 0 ? outcome : Self.accepted,
                    duration: .nanoseconds(nanoseconds)),
                at: now, inFlight: Int.random(in: 0...40, using: &random))
            #expect((1...max(1, ceiling)).contains(limit.value))
        }
    }
}
