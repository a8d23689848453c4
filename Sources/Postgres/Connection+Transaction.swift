extension Connection {
    /// Runs the body in a transaction: commits what it returns from, rolls back what it throws out of.
    ///
    /// The body is synchronous and runs on the connection's thread, so nobody's statement comes in between,
    /// and no transaction stays open over a wait for something else.
    ///
    /// - Throws: what the body throws. `connectionLost` from the commit leaves open whether it happened.
    public func transaction<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await attended { () throws(PostgresError) in
            try self.insideTransaction { () throws(PostgresError) in try body(self) }
        }
    }

    /// Runs work that is no part of a transaction of ours: by itself where the session is ours, and in a
    /// transaction that brings our settings along where it is lent.
    func standingAlone<Value>(_ work: () throws(PostgresError) -> Value) throws(PostgresError) -> Value {
        isPooled ? try insideTransaction(work) : try outsideTransaction(work)
    }

    /// Runs work that must not leave a transaction behind, as a script with a lone BEGIN would.
    private func outsideTransaction<Value>(_ work: () throws(PostgresError) -> Value) throws(PostgresError) -> Value {
        defer { rollBack() }
        return try work()
    }

    private func insideTransaction<Value>(_ work: () throws(PostgresError) -> Value) throws(PostgresError) -> Value {
        try begin()
        do throws(PostgresError) {
            let value = try work()
            try commit()
            return value
        } catch {
            rollBack()
            // The connection was there at BEGIN, so the loss happened inside.
            throw error.code == .closed ? Connection.lostInside : error
        }
    }

    private func begin() throws(PostgresError) {
        try planEachTime()
        do throws(PostgresError) {
            try control(Request(name: "BEGIN", text: isPooled ? settings.transactionSetUp : "BEGIN", parameters: nil))
        } catch {
            // One of the settings may have failed, or have been cancelled, when the transaction was open.
            rollBack()
            throw error
        }
    }

    /// COMMIT is not interrupted by cancelling the task: nobody would know what became of it.
    private func commit() throws(PostgresError) {
        switch transactionState {
        case .open: break
        case .failed: throw Connection.swallowedFailure
        case .none, .busy, .unknown: throw Connection.endedInside
        }
        let result = try exchange(Connection.uninterruptible("COMMIT"), settings.patience())
        guard result.commandTag == "COMMIT" else { throw Connection.swallowedFailure }
    }

    /// Ends an open transaction. Where that fails the connection is gone, and the transaction with it.
    private func rollBack() {
        switch transactionState {
        case .open, .failed:
            if (try? control(Connection.uninterruptible("ROLLBACK"))) == nil { close() }
        case .none, .busy, .unknown: break
        }
    }

    private func control(_ request: Request) throws(PostgresError) {
        _ = try exchange(request, settings.patience())
    }

    private static func uninterruptible(_ command: String) -> Request {
        Request(name: command, text: command, parameters: nil, isInterruptible: false)
    }

    private static let swallowedFailure = PostgresError(
        .statementFailed, "The transaction was rolled back, because one of its statements had failed.",
        sqlState: "25P02", statement: "COMMIT")

    private static let lostInside = PostgresError(
        .connectionLost, "The connection to PostgreSQL was lost during a transaction.")

    private static let endedInside = PostgresError(
        .statementFailed, "The transaction was ended by a statement inside it.", sqlState: "25P01", statement: "COMMIT")
}
