import Benchmark
import FoundationEssentials

@testable import Postgres
@testable import SignalWire
@testable import SyncCore
@testable import SyncStore

/// What a user costs in each part, without the calls between them. Each figure is of a thousand.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = Benchmark.Configuration(
        metrics: [.wallClock, .cpuTotal], warmupIterations: 3, scalingFactor: .kilo, maxDuration: .seconds(2),
        maxIterations: 1000)
    guard let fixture = Fixture() else { return }
    measureCore(fixture)
    measureText()
    measureSignalWire(fixture)
    measurePostgres()
}

private func measureCore(_ fixture: Fixture) {
    Benchmark("PushPlan, one field changed") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(PushPlan(for: fixture.claim, rules: PushRules())) }
    }
    Benchmark("Profile of five columns") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(Profile(columns: fixture.columns)) }
    }
    Benchmark("Settlement, accepted") { benchmark in
        var random = SeededRandom(seed: 1)
        for _ in benchmark.scaledIterations {
            blackHole(Settlement(of: fixture.claim, push: fixture.push, answer: fixture.answer, using: &random))
        }
    }
    Benchmark("Dispatcher, claimed to settled") { benchmark in
        var dispatcher = Dispatcher(settings: DispatcherSettings(rate: 0), seed: 1)
        for second in 0..<(benchmark.scaledIterations.count / batch) {
            work(off: batch, with: &dispatcher, fixture, at: Instant(nanoseconds: Int64(second) * 1_000_000_000))
        }
    }
}

/// How many users one claim brings in the dispatcher's benchmark.
private let batch = 40

/// One claim's users through all of the dispatcher's events. Claims behind it find nobody.
private func work(off count: Int, with dispatcher: inout Dispatcher, _ fixture: Fixture, at now: Instant) {
    let job = Job(claim: fixture.claim, push: fixture.push, claimedAt: now)
    var haul = Haul(jobs: Array(repeating: job, count: count))
    var pending = dispatcher.handle(.notified, at: now)
    while let action = pending.popLast() {
        switch action {
        case .claim:
            pending += dispatcher.handle(.claimed(haul), at: now)
            haul = Haul()
        case .push(let job): pending += dispatcher.handle(.answered(job, fixture.answer), at: now)
        case .settle(let settlements):
            pending += dispatcher.handle(.settled(SettleReport(settled: settlements.count)), at: now)
        case .wake, .throttleFleet, .pauseFleet, .suspectFleet, .resumeFleet, .finish: blackHole(action)
        }
    }
}

private func measureText() {
    let texts = [("plain", "Ada Lovelace"), ("accents", "Zoë Müller"), ("decomposed", "Zoe\u{308} Mu\u{308}ller")]
    for (name, text) in texts {
        Benchmark("Text, \(name)") { benchmark in
            for _ in benchmark.scaledIterations { blackHole(cleaned(text)) }
        }
    }
    let zones = [("a name", "Europe/Berlin"), ("Rails's", "Eastern Time (US & Canada)"), ("unknown", "Mars/Base")]
    for (name, zone) in zones {
        Benchmark("TimeZoneName, \(name)") { benchmark in
            for _ in benchmark.scaledIterations { blackHole(TimeZoneName.canonical(zone)) }
        }
    }
}

private func measureSignalWire(_ fixture: Fixture) {
    Benchmark("TokenRequest, encoded") { benchmark in
        for _ in benchmark.scaledIterations {
            blackHole(TokenRequest(fixture.push, expireAt: 1_800_000_000, applicationID: nil).body)
        }
    }
    Benchmark("Answer, what a push reads of it") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(AcceptedBody.subscriberID(in: fixture.answerBody)) }
    }
    Benchmark("MintedToken, decoded with JSONDecoder") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(MintedToken(body: fixture.answerBody, expiresAt: 1)) }
    }
}
