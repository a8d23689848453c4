import Synchronization
import Testing

@testable import Operations

@Suite("Figures of the database") struct FigureCacheTests {
    /// A clock that a test moves.
    final class Clock: Sendable {
        private let state = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { state.withLock { $0 } }
        func pass(_ duration: Duration) { state.withLock { $0 += duration } }
    }

    /// A database that counts how often it is read, and takes its time.
    final class Source: Sendable {
        private let count = Mutex(0)
        let clock: Clock
        let takes: Duration
        init(_ clock: Clock, takes: Duration = .zero) { (self.clock, self.takes) = (clock, takes) }
        var reads: Int { count.withLock { $0 } }
        func read() -> Int {
            clock.pass(takes)
            return count.withLock {
                $0 += 1; return $0
            }
        }
    }

    struct Gone: Error {}

    @Test("are read once for all who ask at the same time, and not again within five seconds")
    func readOnce() async {
        let clock = Clock()
        let source = Source(clock)
        let cache = FigureCache(now: { clock.now }) { source.read() }
        await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<50 { group.addTask { await cache.latest().value } }
            for await value in group { #expect(value == 1) }
        }
        clock.pass(.seconds(4.9))
        #expect(await cache.latest().value == 1 && source.reads == 1)
        clock.pass(.seconds(0.2))
        #expect(await cache.latest().value == 2)
    }

    @Test("that take a second to read are read every twenty seconds, no matter who asks")
    func rests() async {
        let clock = Clock()
        let source = Source(clock, takes: .seconds(1))
        let cache = FigureCache(now: { clock.now }) { source.read() }
        for _ in 0..<60 {
            _ = await cache.latest()
            clock.pass(.seconds(1))
        }
        #expect(source.reads == 3)
    }

    @Test("that can't be had keep nobody waiting: the last ones are told, with their age")
    func staleWhileGone() async {
        let clock = Clock()
        let isGone = Mutex(false)
        let cache = FigureCache(now: { clock.now }) { () throws -> Int in
            if isGone.withLock({ $0 }) { throw Gone() }
            return 7
        }
        #expect(await cache.latest().value == 7)
        isGone.withLock { $0 = true }
        clock.pass(.seconds(60))
        let latest = await cache.latest()
        #expect(latest.value == 7 && latest.age == .seconds(60))
    }

    @Test("whose reading hangs are told without it, and those who wait don't pile up readings")
    func hangs() async {
        let begun = Mutex(0)
        let (gate, open) = AsyncStream<Void>.makeStream()
        let cache = FigureCache { () -> Int in
            begun.withLock { $0 += 1 }
            for await _ in gate {}
            return 1
        }
        for _ in 0..<3 {
            let latest = await cache.latest(patience: .milliseconds(20))
            #expect(latest.value == nil && latest.age == nil)
        }
        open.finish()
        #expect(await cache.latest(patience: .seconds(10)).value == 1)
        #expect(begun.withLock { $0 } == 1)
    }
}
