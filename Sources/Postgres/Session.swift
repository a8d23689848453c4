/// One connection that is opened when it is first needed, and opened again after it was lost.
///
/// What fails is not repeated: only the caller knows whether it may be. The next call finds a new
/// connection, or throws at once what keeps it from one; waiting between attempts is the caller's, too.
public actor Session {
    private enum State {
        /// To `opening`, at the next call.
        case idle
        /// To `open`, or back to `idle`. All who come meanwhile wait for the same attempt.
        case opening(Task<Result<Connection, PostgresError>, Never>)
        /// To `idle`, when it is found lost.
        case open(Connection)
        /// The end.
        case closed
    }

    public nonisolated let settings: ConnectionSettings
    private var state = State.idle
    /// How often a connection was opened in place of one that was lost.
    public private(set) var reconnects = 0
    private var hasConnected = false

    public init(_ settings: ConnectionSettings) {
        self.settings = settings
    }

    /// See `Connection.query`.
    public func query<Row>(
        _ statement: Statement<Row>, _ parameters: [Parameter] = []
    ) async throws(PostgresError) -> [Row] {
        try await withConnection { connection async throws(PostgresError) in
            try await connection.query(statement, parameters)
        }
    }

    /// See `Connection.execute`.
    @discardableResult
    public func execute(
        _ statement: Statement<Void>, _ parameters: [Parameter] = []
    ) async throws(PostgresError) -> Int {
        try await withConnection { connection async throws(PostgresError) in
            try await connection.execute(statement, parameters)
        }
    }

    /// See `Connection.executeScript`.
    public func executeScript(_ sql: String, name: String) async throws(PostgresError) {
        try await withConnection { connection async throws(PostgresError) in
            try await connection.executeScript(sql, name: name)
        }
    }

    /// See `Connection.transaction`.
    public func transaction<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await withConnection { connection async throws(PostgresError) in
            try await connection.transaction(body)
        }
    }

    /// Such as 150018 for 15.18; connects if it must.
    public func serverVersion() async throws(PostgresError) -> Int {
        try await connection().serverVersion
    }

    /// Closes the connection for good. What is asked afterwards throws `closed`.
    public func close() async {
        let last = state
        state = .closed
        switch last {
        case .idle, .closed: break
        case .opening(let attempt):
            attempt.cancel()
            if case .success(let connection) = await attempt.value { await connection.close() }
        case .open(let connection): await connection.close()
        }
    }

    /// Runs work on the open connection, or a new one.
    ///
    /// Who waited behind another whose work lost the connection finds it closed. Nothing of theirs was sent,
    /// so they go on with a new one.
    private func withConnection<Value: Sendable>(
        _ work: @Sendable (Connection) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        while true {
            let connection = try await connection()
            do throws(PostgresError) {
                return try await work(connection)
            } catch {
                guard error.code == .closed else { throw error }
            }
        }
    }

    /// The open connection, or a new one.
    func connection() async throws(PostgresError) -> Connection {
        while true {
            switch state {
            case .closed: throw .closed
            case .open(let connection) where connection.isOpen: return connection
            case .idle, .open: state = .opening(attempt())
            case .opening(let attempt):
                if let connection = try await outcome(of: attempt) { return connection }
            }
        }
    }

    private func attempt() -> Task<Result<Connection, PostgresError>, Never> {
        let settings = settings
        return Task {
            do throws(PostgresError) {
                return .success(try await Connection.open(settings))
            } catch {
                return .failure(error)
            }
        }
    }

    /// - Returns: `nil` where the attempt was cancelled by another who waited for it, and not by us.
    private func outcome(
        of attempt: Task<Result<Connection, PostgresError>, Never>
    ) async throws(PostgresError) -> Connection? {
        let result = await withTaskCancellationHandler {
            await attempt.value
        } onCancel: {
            attempt.cancel()
        }
        // The first to be here again notes it down; for the others the state has moved on.
        if case .opening(attempt) = state { opened(try? result.get()) }
        if case .failure(let error) = result, error.code == .cancelled, !Task.isCancelled { return nil }
        return try result.get()
    }

    private func opened(_ connection: Connection?) {
        state = connection.map(State.open) ?? .idle
        guard connection != nil else { return }
        if hasConnected { reconnects += 1 }
        hasConnected = true
    }
}
