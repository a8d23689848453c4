/// Reads figures of the database for whoever asks, one at a time and never too often.
///
/// However many ask at once, one reading is under way; who asks within a few seconds gets the last one. A reading that
/// takes long is repeated less often, so that watching costs the database a small and bounded part of its time. Nobody
/// waits for a database that doesn't answer: they get what was read last, and how old it is.
actor FigureCache<Value: Sendable> {
    /// What was read last.
    struct Latest: Sendable {
        /// `nil`: nothing was read yet.
        let value: Value?
        let age: Duration?
    }

    /// A reading is repeated after this at the soonest…
    static var shortestInterval: Duration { .seconds(5) }
    /// …and after so many times what it took.
    static var restShare: Int { 20 }

    private let read: @Sendable () async throws -> Value
    private let now: @Sendable () -> ContinuousClock.Instant
    private var value: Value?
    private var readAt: ContinuousClock.Instant?
    private var state = State.resting(until: nil)
    private var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
    private var nextWaiter = 0

    private enum State {
        /// → `reading`
        case resting(until: ContinuousClock.Instant?)
        /// → `resting`
        case reading
    }

    init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        read: @escaping @Sendable () async throws -> Value
    ) {
        self.now = now
        self.read = read
    }

    /// - Parameter patience: how long to wait for a reading that is under way.
    func latest(patience: Duration = .seconds(2)) async -> Latest {
        beginIfDue()
        if case .reading = state { await wait(atMost: patience) }
        return Latest(value: value, age: readAt.map { now() - $0 })
    }

    private func beginIfDue() {
        switch state {
        case .reading: return
        case .resting(let until):
            guard until.map({ now() >= $0 }) ?? true else { return }
            state = .reading
            Task { await self.readOnce() }
        }
    }

    private func readOnce() async {
        let start = now()
        let found = try? await read()
        let end = now()
        if let found {
            value = found
            readAt = end
        }
        state = .resting(until: end + max(Self.shortestInterval, (end - start) * Self.restShare))
        for continuation in waiting.values { continuation.finish() }
        waiting = [:]
    }

    private func wait(atMost patience: Duration) async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let number = nextWaiter
        nextWaiter += 1
        waiting[number] = continuation
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in stream {} }
            group.addTask { try? await Task.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
        waiting[number] = nil
    }
}
