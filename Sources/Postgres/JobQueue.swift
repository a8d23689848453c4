import Synchronization

/// The jobs that wait for one thread: anybody adds, and only that thread takes, always all of them.
///
/// A list that is pushed to and taken as a whole by single atomic operations. Taking one at a time would
/// need more care (a node could be freed and come back between looking and taking); this never does.
struct JobQueue: ~Copyable, Sendable {
    private final class Node: Sendable {
        let job: UnownedJob
        /// The one that was added before, owned by this one.
        let previous: Unmanaged<Node>?

        init(_ job: UnownedJob, after previous: Unmanaged<Node>?) {
            self.job = job
            self.previous = previous
        }
    }

    /// What was added last, owned by the queue.
    private let last = Atomic<Unmanaged<Node>?>(nil)

    func add(_ job: UnownedJob) {
        var previous = last.load(ordering: .relaxed)
        while true {
            let node = Unmanaged.passRetained(Node(job, after: previous))
            let (isExchanged, found) = last.weakCompareExchange(
                expected: previous, desired: node, successOrdering: .releasing, failureOrdering: .relaxed)
            if isExchanged { return }
            node.release()
            previous = found
        }
    }

    /// Takes all jobs, in the order in which they were added.
    func takeAll() -> [UnownedJob] {
        var jobs: [UnownedJob] = []
        var next = last.exchange(nil, ordering: .acquiring)
        while let node = next?.takeRetainedValue() {
            jobs.append(node.job)
            next = node.previous
        }
        return jobs.reversed()
    }
}
