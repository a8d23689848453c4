import SignalWireSandbox
import SyncAgent
import SyncCore
import Synchronization
import TestSupport
import Testing

@Suite("Agents that share a rate") struct RateSharingTests {
    private static let rate = 50

    @Test("exceed it neither when one comes, nor later, and use it up when one leaves")
    func shareFromTheStart() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 3000) i")
            let change: @Sendable (inout AgentSettings) -> Void = { $0.dispatcher.rate = Double(Self.rate) }
            let counter = Counter(of: bench.sandbox)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await counter.run() }
                try await bench.withAgent("older", change: change) { older in
                    await eventually(within: .seconds(10), "it has the whole rate") {
                        bench.sandbox.statistics().requests > Self.rate
                    }
                    try await bench.withAgent("newcomer", change: change) { _ in
                        try await Self.bothAreUp(bench)
                        try await Task.sleep(for: .seconds(3))
                    }
                    // The newcomer has left, and nothing but its farewell tells of it within this time.
                    let before = bench.sandbox.statistics().requests
                    try await Task.sleep(for: .seconds(2))
                    let alone = bench.sandbox.statistics().requests - before
                    #expect(alone > Self.rate * 2 * 8 / 10, "\(alone) in two seconds")
                    #expect(older.outcome == nil)
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            // A tenth of a second's worth is the burst; as much again for calls that travel unevenly.
            let most = counter.mostInOneSecond
            #expect(most <= Self.rate * 12 / 10, "\(most) in one second")
            #expect(most >= Self.rate * 8 / 10, "\(most) in one second")
        }
    }

    private static func bothAreUp(_ bench: Bench) async throws {
        try await eventually(within: .seconds(10), "both have sent") {
            try await bench.fixture.value(
                "SELECT count(DISTINCT agent) FROM subscriber_sync.log WHERE outcome = 'accepted'") == "2"
        }
    }

    /// Reads the sandbox's figure again and again, and so knows how many requests came in any second.
    private final class Counter: Sendable {
        private let sandbox: Sandbox
        private let readings = Mutex<[(at: ContinuousClock.Instant, requests: Int)]>([])

        init(of sandbox: Sandbox) { self.sandbox = sandbox }

        func run() async {
            while !Task.isCancelled {
                let requests = sandbox.statistics().requests
                readings.withLock { $0.append((.now, requests)) }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }

        var mostInOneSecond: Int {
            readings.withLock { readings in
                var first = 0
                return readings.reduce(0) { most, reading in
                    while reading.at - readings[first].at > .seconds(1) { first += 1 }
                    return max(most, reading.requests - readings[first].requests)
                }
            }
        }
    }
}
