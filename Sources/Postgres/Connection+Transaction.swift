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
            try self.control("BEGIN")
            do throws(PostgresError) {
                let value = try body(self)
                try self.commit()
                return value
            } catch {
                self.rollBack()
                // The connection was there at BEGIN, so the loss happened inside.
                throw error.code == .closed ? Connection.lostInside : error
            }
        }
    }

    /// Runs work that must not leave a transaction behind, as a script with a lone BEGIN would.
    func outsideTransaction<Value>(_ work: () throws(PostgresError) -> Value) throws(PostgresError) -> Value {
        defer { rollBack() }
        return try work()
    }

    /// COMMIT is not interrupted by cancelling the task: nobody would know what became of it.
    private func commit() throws(PostgresError) {
        switch transactionState {
        case .open: break
        case .failed: throw Connection.swallowedFailure
        case .none, .busy, .unknown: throw Connection.endedInside
        }
        let result = try exchange(Connection.request("COMMIT", isInterruptible: false), settings.patience())
        guard result.commandTag == "COMMIT" else { throw Connection.swallowedFailure }
    }

    /// Ends an open transaction. Where that fails the connection is gone, and the transaction with it.
    private func rollBack() {
        switch transactionState {
        case .open, .failed:
            let request = Connection.request("ROLLBACK", isInterruptible: false)
            if (try? control(request)) == nil { close() }
        case .none, .busy, .unknown: break
        }
    }

    private func control(_ request: Request) throws(PostgresError) {
        _ = try exchange(request, settings.patience())
    }

    private func control(_ text: String) throws(PostgresError) {
        try control(Connection.request(text, isInterruptible: true))
    }

    private static func request(_ text: String, isInterruptible: Bool) -> Request {
        Request(name: text, text: text, parameters: nil, isInterruptible: isInterruptible)
    }

    private static let swallowedFailure = PostgresError(
        .statementFailed, "The transaction was rolled back, because one of its statements had failed.",
        sqlState: "25P02", statement: "COMMIT")

    private static let lostInside = PostgresError(
        .connectionLost, "The connection to PostgreSQL was lost during a transaction.")

    private static let endedInside = PostgresError(
        .statementFailed, "The transaction was ended by a statement inside it.", sqlState: "25P01", statement: "COMMIT")
}
