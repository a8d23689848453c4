import CLibPQ
import Glibc
import Synchronization

/// The executor of one connection: a thread of its own, which may wait for the server as long as it must.
///
/// Waiting on a thread of the cooperative pool would stop unrelated tasks; here it stops nobody but
/// those who wait for this connection anyway. The thread keeps the executor alive until it is stopped.
final class ConnectionThread: SerialExecutor {
    private let jobs = JobQueue()
    private let isStopping = Atomic(false)
    private let arrivals: WakeUp
    /// The thread's own name for itself; 0 until it runs.
    private let identity = Atomic<UInt>(0)

    private init() throws(PostgresError) {
        arrivals = try WakeUp()
    }

    /// Starts the thread. Whoever owns the executor has to call `stop` at the end.
    static func start() throws(PostgresError) -> ConnectionThread {
        let executor = try ConnectionThread()
        try startThread { executor.run() }
        return executor
    }

    func enqueue(_ job: consuming ExecutorJob) {
        jobs.add(UnownedJob(job))
        arrivals.signal()
    }

    /// Lets the thread end once it has run what was enqueued before.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        arrivals.signal()
    }

    func checkIsolated() {
        precondition(isOnThread, "This belongs to the thread of another database connection.")
    }

    func isIsolatingCurrentContext() -> Bool? { isOnThread }

    private var isOnThread: Bool { identity.load(ordering: .acquiring) == UInt(pthread_self()) }

    private func run() {
        identity.store(UInt(pthread_self()), ordering: .releasing)
        while true {
            // Read first: what was enqueued before stopping is then seen below.
            let isLastRound = isStopping.load(ordering: .acquiring)
            let arrived = jobs.takeAll()
            for job in arrived { job.runSynchronously(on: asUnownedSerialExecutor()) }
            if arrived.isEmpty {
                if isLastRound { return }
                _ = arrivals.wait(for: [], of: -1, until: .never)
            }
        }
    }
}

/// What a new thread does; a class, because C hands a pointer through.
private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a detached thread in which writing to a closed socket is an error and not a signal: libpq's
/// `PQcancel` writes without asking for that.
func startThread(_ body: @escaping @Sendable () -> Void) throws(PostgresError) {
    let context = Unmanaged.passRetained(ThreadBody(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let result = pthread_create(
        &thread, &attributes,
        { context in
            ignore_broken_pipes_in_this_thread()
            if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
            return nil
        }, context.toOpaque())
    guard result == 0 else {
        context.release()
        throw PostgresError(
            .resourcesExhausted, "The operating system gave no thread for a database connection.",
            hint: "Raise the limit of processes of this user.")
    }
}
