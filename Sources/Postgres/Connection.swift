import Synchronization

/// One physical connection to PostgreSQL, with a thread of its own.
///
/// Everything it does runs on that thread, which may wait there for the server; whoever awaits it does
/// not block a thread of the runtime's. Calls are served one after the other. Each statement has a deadline,
/// and cancelling the task cancels it: then the connection is clean afterwards, or closed.
///
/// Statements exist in two forms. The asynchronous ones are for everybody; the synchronous ones can be
/// called only where the connection is isolated already, which is inside `transaction`. A closure that says
/// `throws(…)` must say `async`, too, or it gets the synchronous ones, which nobody can wake.
public actor Connection {
    nonisolated let settings: ConnectionSettings
    nonisolated let wakeUp: WakeUp
    private nonisolated let thread: ConnectionThread
    /// What others may know without waiting for the thread.
    private nonisolated let isConnected = Atomic(false)
    private nonisolated let knownBackendPID = Atomic<Int32>(0)
    private nonisolated let knownServerVersion = Atomic(0)
    private nonisolated let isKnownToBePooled = Atomic(false)
    /// `nil` before connecting and after closing.
    var raw: RawConnection?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Connects, on the connection's own thread.
    public static func open(_ settings: ConnectionSettings) async throws(PostgresError) -> Connection {
        let connection = Connection(settings, wakeUp: try WakeUp(), thread: try .start())
        try await connection.connect()
        return connection
    }

    private init(_ settings: ConnectionSettings, wakeUp: WakeUp, thread: ConnectionThread) {
        self.settings = settings
        self.wakeUp = wakeUp
        self.thread = thread
    }

    deinit { thread.stop() }

    /// Whether it can be used, as far as is known: a loss shows when something is asked.
    public nonisolated var isOpen: Bool { isConnected.load(ordering: .acquiring) }

    /// The process of the server that serves this connection, as `pg_stat_activity` has it; on a pooled
    /// connection a number that the pooler made up.
    public nonisolated var backendPID: Int32 { knownBackendPID.load(ordering: .acquiring) }

    /// Whether a pooler is in between, which lends us a session of the server for each transaction.
    ///
    /// Then nothing is set for the session, because the next who gets it would have it too: every statement
    /// runs in a transaction of its own that begins with our settings. LISTEN would be somebody else's as well.
    public nonisolated var isPooled: Bool { isKnownToBePooled.load(ordering: .acquiring) }

    /// Such as 150018 for 15.18.
    public nonisolated var serverVersion: Int { knownServerVersion.load(ordering: .acquiring) }

    /// Closes it. What is asked afterwards throws `closed`.
    public func close() { drop() }

    private func connect() async throws(PostgresError) {
        try await attended { () throws(PostgresError) in
            let raw = try RawConnection.open(self.settings, wakeUp: self.wakeUp)
            self.knownBackendPID.store(raw.backendPID, ordering: .releasing)
            self.knownServerVersion.store(raw.serverVersion, ordering: .releasing)
            self.isKnownToBePooled.store(raw.isPooled, ordering: .releasing)
            self.isConnected.store(true, ordering: .releasing)
            self.raw = consume raw
        }
    }

    /// Gives up a connection that is broken, or has an answer outstanding.
    func dropIfUnusable() {
        if raw?.isUsable != true { drop() }
    }

    private func drop() {
        raw = nil
        isConnected.store(false, ordering: .releasing)
    }
}

extension Connection {
    /// Runs the work so that cancelling the task wakes the thread out of its wait.
    func attended<Value>(
        _ work: () throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let wakeUp = wakeUp
        let result = await withTaskCancellationHandler {
            // Naming `self` is what keeps this closure on the connection's thread.
            self.outcome(of: work)
        } onCancel: {
            wakeUp.signal()
        }
        return try result.get()
    }

    private func outcome<Value>(of work: () throws(PostgresError) -> Value) -> Result<Value, PostgresError> {
        assertIsolated()
        do throws(PostgresError) {
            return .success(try work())
        } catch {
            return .failure(error)
        }
    }

    /// The one way to the server: sends, waits, reads all, and gives up a connection that is not clean then.
    func exchange(_ request: Request, _ patience: Patience) throws(PostgresError) -> RawResult {
        guard raw != nil else { throw .closed }
        guard !(request.isInterruptible && Task.isCancelled) else { throw .cancelled(request.name) }
        defer { dropIfUnusable() }
        guard let result = try raw?.exchange(request, patience) else { throw .closed }
        return result
    }

    /// Whether a transaction is open, failed or neither.
    var transactionState: RawConnection.TransactionState { raw?.transactionState ?? .unknown }

    /// How the server is reached; `nil` once the connection is gone.
    var way: RawConnection.Way? { raw?.way }
}
