import SyncCore
import Testing

@Suite("The dispatcher")
struct DispatcherTests {
    /// A dispatcher, and what it said last.
    private struct Bench {
        var dispatcher: Dispatcher
        var now = Instant(nanoseconds: 1_000_000_000)
        var actions: [DispatcherAction] = []
        /// Those under way.
        var calls: [Job] = []
        var lastClaim: Int?

        init(_ settings: DispatcherSettings) { dispatcher = Dispatcher(settings: settings, seed: 1) }

        mutating func hear(_ event: DispatcherEvent, after wait: Duration = .zero) {
            now = now + wait
            actions = dispatcher.handle(event, at: now)
            if case .answered(let job, _) = event { calls.removeAll { $0.claim.lease == job.claim.lease } }
            calls += pushes
            lastClaim = claimLimit ?? lastClaim
        }

        /// Answers so many calls one after the other, also those that begin meanwhile, and writes what came of each.
        mutating func answer(_ count: Int, with answer: PushAnswer) throws {
            for _ in 0..<count {
                hear(.answered(try #require(calls.first), answer))
                if settles.isEmpty { hear(.ticked, after: DispatcherSettings.gatherSpan) }
                #expect(settles.count == 1)
                hear(.settled(SettleReport(settled: 1)))
            }
        }

        var claimLimit: Int? { actions.lazy.compactMap { if case .claim(let limit) = $0 { limit } else { nil } }.first }
        var pushes: [Job] { actions.compactMap { if case .push(let job) = $0 { job } else { nil } } }
        var settles: [Settlement] {
            actions.flatMap { action -> [Settlement] in if case .settle(let batch) = action { batch } else { [] } }
        }
        var wake: Instant? { actions.lazy.compactMap { if case .wake(let at) = $0 { at } else { nil } }.first }
        var end: DispatcherEnd? { actions.lazy.compactMap { if case .finish(let end) = $0 { end } else { nil } }.first }

        func jobs(_ leases: ClosedRange<Int64>) -> [Job] { leases.compactMap { Sample.job($0, claimedAt: now) } }
    }

    private static let settings = DispatcherSettings(concurrency: 4, rate: 0)
    private static var accepted: PushAnswer? { Sample.subscriber.map { PushAnswer(outcome: .accepted($0)) } }

    @Test("claims its capacity at the start, and again only when half of it is free")
    func claimsByHalves() throws {
        let accepted = try #require(Self.accepted)
        var bench = Bench(Self.settings)
        bench.hear(.started)
        #expect(bench.claimLimit == 12)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...12))))
        #expect(bench.dispatcher.held == 12 && bench.pushes.count == 4 && bench.claimLimit == nil)
        for written in 1...6 {
            try bench.answer(1, with: accepted)
            #expect(bench.calls.count == 4)
            #expect((bench.claimLimit != nil) == (written == 6))
        }
        #expect(bench.claimLimit == 6)
    }

    @Test("writes answers together that come within a moment, as many as may be in flight, or when no more can come")
    func gathers() throws {
        let accepted = try #require(Self.accepted)
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...6))))
        let first = bench.calls
        bench.hear(.answered(first[0], accepted))
        #expect(bench.settles.isEmpty)
        bench.hear(.answered(first[1], accepted), after: DispatcherSettings.gatherSpan - .milliseconds(1))
        #expect(bench.settles.isEmpty && bench.wake == bench.now + .milliseconds(1))
        bench.hear(.ticked, after: .milliseconds(1))
        #expect(bench.settles.count == 2)
        bench.hear(.answered(first[2], accepted))
        bench.hear(.answered(first[3], accepted))
        bench.hear(.settled(SettleReport(settled: 2)))
        #expect(bench.settles.isEmpty)
        bench.hear(.answered(bench.calls[0], accepted))
        #expect(bench.settles.isEmpty)
        bench.hear(.answered(bench.calls[0], accepted))
        #expect(bench.settles.count == 4 && bench.calls.isEmpty)
    }

    /// One whose calls ran out of users during a claim: it holds twelve of twenty-four since, and a claim is under way.
    private func widened(by accepted: PushAnswer) throws -> Bench {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...12))))
        // No call was under way that could have run out of users.
        #expect(bench.claimLimit == nil)
        try bench.answer(12, with: accepted)
        #expect(bench.dispatcher.held == 0 && bench.lastClaim == 6)
        bench.hear(.claimed(Haul(jobs: bench.jobs(13...18))))
        #expect(bench.claimLimit == 24 - 6)
        bench.hear(.claimed(Haul(jobs: bench.jobs(19...36))))
        try bench.answer(12, with: accepted)
        #expect(bench.lastClaim == 12 && bench.dispatcher.held == 12)
        return bench
    }

    @Test("claims twice as many where the calls ran out of users during a claim, until enough of them are left")
    func widensAndNarrows() throws {
        let accepted = try #require(Self.accepted)
        var bench = try widened(by: accepted)
        // Eight wait for the four calls that there may be.
        bench.hear(.claimed(Haul(jobs: bench.jobs(37...48))))
        try bench.answer(18, with: accepted)
        #expect(bench.dispatcher.held == 6 && bench.claimLimit == 12 - 6)
    }

    @Test("claims as many as before where half as many would have run out")
    func staysWide() throws {
        let accepted = try #require(Self.accepted)
        var bench = try widened(by: accepted)
        try bench.answer(3, with: accepted)
        // Five wait, and six fewer would have, had the claim begun when twelve fewer might be held.
        bench.hear(.claimed(Haul(jobs: bench.jobs(37...48))))
        try bench.answer(9, with: accepted)
        #expect(bench.dispatcher.held == 12 && bench.claimLimit == 12)
    }

    @Test("claims as many as before where the claim found fewer than it asked for, and lets the database rest a moment")
    func staysSmall() throws {
        let accepted = try #require(Self.accepted)
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...12))))
        try bench.answer(12, with: accepted)
        bench.hear(.claimed(Haul(jobs: bench.jobs(13...17))))
        #expect(bench.claimLimit == nil)
        #expect(bench.wake == bench.now + DispatcherSettings.pauseAfterFind)
        bench.hear(.ticked, after: DispatcherSettings.pauseAfterFind)
        #expect(bench.claimLimit == 12 - 5)
    }

    @Test("looks again at once where more was folded than brought")
    func goesOnFolding() {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...3), folded: 4)))
        #expect(bench.claimLimit == 12 - 3)
    }

    @Test("begins no faster than its share of the rate, and says when it goes on")
    func paces() {
        var bench = Bench(DispatcherSettings(concurrency: 4, rate: 10))
        bench.hear(.started)
        bench.hear(.fleetCounted(2))
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...12))))
        #expect(bench.pushes.count == 1)
        #expect(bench.wake == bench.now + .milliseconds(200))
        bench.hear(.ticked, after: .milliseconds(199))
        #expect(bench.pushes.isEmpty && bench.wake != nil)
        bench.hear(.ticked, after: .milliseconds(1))
        #expect(bench.pushes.count == 1)
    }

    @Test("begins one call a second, at most, until it knows who shares the rate")
    func startsSlowly() {
        for (rate, first, second) in [(1000.0, 1, 1), (0.5, 1, 0), (0, 4, 0)] {
            var bench = Bench(DispatcherSettings(concurrency: 4, rate: rate))
            bench.hear(.started)
            bench.hear(.claimed(Haul(jobs: bench.jobs(1...4))))
            #expect(bench.pushes.count == first)
            bench.hear(.ticked, after: .seconds(1))
            #expect(bench.pushes.count == second)
            bench.hear(.fleetCounted(1))
            bench.hear(.ticked, after: .seconds(1))
            #expect(bench.dispatcher.held == 4)
        }
        var bench = Bench(DispatcherSettings(concurrency: 40, rate: 100))
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...40))))
        bench.hear(.fleetCounted(2))
        bench.hear(.ticked, after: .seconds(1))
        #expect(bench.pushes.count == 5, "a tenth of a second's worth of its half")
    }

    @Test("sends nothing more while it is throttled, tells the fleet, and wakes afterwards")
    func throttled() throws {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...8))))
        let job = try #require(bench.pushes.first)
        let others = bench.pushes.dropFirst()
        bench.hear(.answered(job, PushAnswer(outcome: .throttled(retryAfter: .seconds(9), Sample.problem))))
        #expect(bench.pushes.isEmpty && bench.claimLimit == nil)
        #expect(bench.actions.contains { if case .throttleFleet(.seconds(9)) = $0 { true } else { false } })
        bench.hear(.notified, after: .seconds(8))
        #expect(bench.pushes.isEmpty && bench.claimLimit == nil)
        for job in others { bench.hear(.answered(job, try #require(Self.accepted))) }
        #expect(bench.pushes.isEmpty && bench.claimLimit == nil)
        bench.hear(.ticked, after: .seconds(1))
        #expect(bench.pushes.count == 2 && bench.dispatcher.concurrency == 2, "half as many as before")
    }

    @Test("claims for the calls that may be in flight, not for those that the settings allow")
    func claimsLess() throws {
        var bench = Bench(DispatcherSettings(concurrency: 16, rate: 0))
        bench.hear(.started)
        #expect(bench.claimLimit == 48)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...16))))
        let answer = PushAnswer(outcome: .unavailable(Sample.problem, .answered), duration: .milliseconds(50))
        for job in bench.pushes { bench.hear(.answered(job, answer), after: .milliseconds(1)) }
        #expect(bench.dispatcher.concurrency == 8)
        while !bench.settles.isEmpty { bench.hear(.settled(SettleReport(settled: bench.settles.count))) }
        bench.hear(.notified, after: .seconds(1))
        #expect(bench.claimLimit ?? 24 <= 24)
    }

    @Test("hands back what it hasn't sent when the account refuses, and pauses the fleet")
    func accountRefused() throws {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...8))))
        bench.hear(.answered(try #require(bench.pushes.first), PushAnswer(outcome: .account(Sample.problem))))
        #expect(bench.settles.count == 5)
        #expect(bench.actions.contains { if case .pauseFleet = $0 { true } else { false } })
    }

    @Test("hands back a claim that is too old for a call to fit into its lease")
    func tooOld() {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        let jobs = bench.jobs(1...2)
        bench.hear(.claimed(Haul(jobs: jobs)), after: Self.settings.latestStart + .milliseconds(1))
        #expect(bench.pushes.isEmpty && bench.settles.count == 2)
    }

    @Test("that is stopped releases its queue, finishes what is in flight, and ends")
    func stops() throws {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...6), nextDue: nil)))
        // The look that follows a full claim may be under way already; nothing is claimed after the stop.
        let inFlight = bench.pushes
        bench.hear(.stopRequested)
        #expect(bench.settles.count == 2 && bench.claimLimit == nil && bench.wake != nil)
        bench.hear(.settled(SettleReport(settled: 2)))
        for job in inFlight {
            #expect(bench.end == nil)
            bench.hear(.answered(job, try #require(Self.accepted)))
            bench.hear(.settled(SettleReport(settled: 1)))
        }
        if bench.end == nil { bench.hear(.claimed(Haul())) }
        #expect(bench.end == .stopped)
        #expect(bench.dispatcher.isFinished && bench.dispatcher.handle(.notified, at: bench.now).isEmpty)
    }

    @Test("that is stopped doesn't wait for a database that never answers")
    func givesUp() {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.stopRequested)
        #expect(bench.end == nil)
        bench.hear(.ticked, after: Self.settings.timeout + DispatcherSettings.stopGrace)
        #expect(bench.end == .stopped)
    }

    @Test("until idle ends when nothing is due, and says so when it is only paused")
    func untilIdle() {
        let settings = DispatcherSettings(concurrency: 4, rate: 0, isUntilIdle: true)
        let hauls: [(Haul, DispatcherEnd?)] = [
            (Haul(), .idle), (Haul(folded: 1), nil), (Haul(nextDue: .seconds(3)), nil),
            (Haul(gate: .paused(probeAfter: nil), nextDue: .zero), .paused),
            (Haul(gate: .throttled(.seconds(1)), nextDue: .zero), nil), (Haul(gate: .paused(probeAfter: nil)), .idle),
        ]
        for (haul, end) in hauls {
            var bench = Bench(settings)
            bench.hear(.started)
            bench.hear(.claimed(haul))
            #expect(bench.end == end)
        }
    }

    @Test("until idle ends as paused where the source can't be read, or somebody is due in a pause, sweeps or not")
    func untilIdleWithoutSource() throws {
        let settings = DispatcherSettings(concurrency: 4, rate: 0, isUntilIdle: true, awaitsSweeps: true)
        let events: [(DispatcherEvent, DispatcherEnd?)] = [
            (.sourceMisfit, .paused), (.claimFailed, nil), (.claimed(Haul()), nil),
            (.claimed(Haul(gate: .paused(probeAfter: nil), nextDue: .zero)), .paused),
            (.claimed(Haul(gate: .paused(probeAfter: nil))), nil),
        ]
        for (event, end) in events {
            var bench = Bench(settings)
            bench.hear(.started)
            bench.hear(event)
            #expect(bench.end == end)
            #expect(bench.end != nil || bench.wake != nil, "it goes on")
        }
        var bench = Bench(settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul(jobs: bench.jobs(1...1))))
        let job = try #require(bench.pushes.first)
        bench.hear(.ticked, after: settings.pollInterval)
        bench.hear(.sourceMisfit)
        #expect(bench.end == nil, "a call is in flight")
        bench.hear(.answered(job, try #require(Self.accepted)))
        bench.hear(.settled(SettleReport(settled: 1)))
        #expect(bench.end == nil)
        bench.hear(.ticked, after: .seconds(20))
        bench.hear(.sourceMisfit)
        #expect(bench.end == .paused)
        for (sweeps, end) in [(DispatcherEvent.sweepsRested, DispatcherEnd.idle), (.sweepsFailed, .uncompared)] {
            var swept = Bench(settings)
            swept.hear(.started)
            swept.hear(sweeps)
            swept.hear(.claimed(Haul()))
            #expect(swept.end == nil, "it looks once more")
            swept.hear(.claimed(Haul()))
            #expect(swept.end == end)
        }
        var running = Bench(Self.settings)
        running.hear(.started)
        running.hear(.sourceMisfit)
        let wake = try #require(running.wake)
        running.hear(.ticked, after: wake - running.now)
        #expect(running.claimLimit != nil, "an agent that isn't to end looks again")
    }

    @Test("backs off from a database that fails, and settles again what may not be written")
    func databaseFails() throws {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimFailed)
        let wake = try #require(bench.wake)
        #expect(wake <= bench.now + .milliseconds(100))
        bench.hear(.ticked, after: wake - bench.now)
        #expect(bench.claimLimit != nil)
        let settlement = Settlement(releasing: Sample.claim())
        bench.hear(.claimed(Haul(settlements: [settlement])))
        #expect(bench.settles.count == 1)
        bench.hear(.settleFailed(bench.settles))
        #expect(bench.dispatcher.held == 1)
        bench.hear(.ticked, after: .seconds(10))
        #expect(bench.settles.count == 1)
    }

    @Test("lingers after a notification, then falls back to its poll interval")
    func lingers() {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.claimed(Haul()))
        #expect(bench.wake == bench.now + Self.settings.pollInterval)
        bench.hear(.notified)
        bench.hear(.claimed(Haul()))
        #expect(bench.wake == bench.now + DispatcherSettings.lingerStep)
        bench.hear(.ticked, after: DispatcherSettings.lingerSpan)
        bench.hear(.claimed(Haul()))
        #expect(bench.wake == bench.now + Self.settings.pollInterval)
    }

    @Test("looks again at once where a notification came while it looked")
    func looksAgain() {
        var bench = Bench(Self.settings)
        bench.hear(.started)
        bench.hear(.notified)
        #expect(bench.claimLimit == nil)
        bench.hear(.claimed(Haul()))
        #expect(bench.claimLimit == 12)
    }

    @Test("never holds more than its capacity, and never forgets to set an alarm", arguments: UInt64(1)...40)
    func neverForgets(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rate = Double.random(in: 0...20, using: &random)
        let settings = DispatcherSettings(concurrency: 3, rate: rate, lease: .seconds(30))
        var bench = Bench(settings)
        let accepted = try #require(Self.accepted)
        var (pending, alarm, lease) = ([DispatcherAction](), bench.now, Int64(0))
        bench.hear(.started)
        for _ in 0..<300 {
            alarm = bench.wake ?? alarm
            pending += bench.actions.filter { if case .wake = $0 { false } else { true } }
            #expect(bench.dispatcher.held <= settings.capacity)
            guard !pending.isEmpty, Bool.random(using: &random) else {
                try #require(!pending.isEmpty || alarm >= bench.now, "nothing under way, and no alarm")
                bench.hear(.ticked, after: max(.zero, alarm - bench.now))
                continue
            }
            switch pending.remove(at: Int.random(in: 0..<pending.count, using: &random)) {
            case .claim(let limit):
                let first = lease + 1
                lease += Int64.random(in: 1...Int64(limit), using: &random)
                bench.hear(.claimed(Haul(jobs: bench.jobs(first...lease))), after: .milliseconds(5))
            case .push(let job): bench.hear(.answered(job, accepted), after: .milliseconds(90))
            case .settle(let batch): bench.hear(.settled(SettleReport(settled: batch.count)), after: .milliseconds(5))
            case .wake, .throttleFleet, .pauseFleet, .suspectFleet, .resumeFleet, .finish: continue
            }
        }
        #expect(lease > 20)
    }
}
