import Synchronization

/// Ends calls that take too long.
///
/// All calls have the same time, so they are due in the order in which they began, and one task watches the oldest on
/// behalf of all. A timer for each, which nearly always is taken down again, cost a tenth of a whole call.
final class CallDeadlines: Sendable {
    private let timeout: Duration
    private let state = Mutex(State())

    private struct State {
        var calls: [Int: Call] = [:]
        /// None that is older is left.
        var oldest = 0
        var next = 0
        var isWatched = false
    }

    private struct Call {
        let due: ContinuousClock.Instant
        var isOverdue = false
        let end: @Sendable () -> Void
    }

    init(timeout: Duration) { self.timeout = timeout }

    /// Begins to watch a call.
    ///
    /// - Parameter end: what ends it, should it be overdue.
    /// - Returns: what to release it by, which has to follow.
    func watch(end: @escaping @Sendable () -> Void) -> Int {
        let due = ContinuousClock.now + timeout
        let (number, isFirst) = state.withLock { state in
            defer { state.next += 1 }
            state.calls[state.next] = Call(due: due, end: end)
            defer { state.isWatched = true }
            return (state.next, !state.isWatched)
        }
        if isFirst { Task { await watchAll() } }
        return number
    }

    /// - Returns: whether the call was overdue, and so was ended.
    func release(_ number: Int) -> Bool {
        state.withLock { $0.calls.removeValue(forKey: number)?.isOverdue ?? false }
    }

    /// Goes on until no call is left, which it notices when the last one that it saw would have been due.
    private func watchAll() async {
        while let due = endOverdue() { try? await Task.sleep(until: due, clock: .continuous) }
    }

    /// - Returns: when the next call is due; `nil` where there is none, and nobody watches any more.
    private func endOverdue() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        let (overdue, due) = state.withLock { state in
            var overdue: [@Sendable () -> Void] = []
            while state.oldest < state.next {
                let call = state.calls[state.oldest]
                if let call, call.due > now { return (overdue, Optional(call.due)) }
                if let call {
                    state.calls[state.oldest]?.isOverdue = true
                    overdue.append(call.end)
                }
                state.oldest += 1
            }
            state.isWatched = false
            return (overdue, nil)
        }
        for end in overdue { end() }
        return due
    }
}
