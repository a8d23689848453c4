extension Connection {
    /// Runs a statement and decodes its rows.
    public func query<Row>(
        _ statement: Statement<Row>, _ parameters: [Parameter] = []
    ) async throws(PostgresError) -> [Row] {
        try await attended { () throws(PostgresError) in
            try self.standingAlone { () throws(PostgresError) in try self.query(statement, parameters) }
        }
    }

    /// Runs a command.
    ///
    /// - Returns: how many rows it touched.
    @discardableResult
    public func execute(
        _ statement: Statement<Void>, _ parameters: [Parameter] = []
    ) async throws(PostgresError) -> Int {
        try await attended { () throws(PostgresError) in
            try self.standingAlone { () throws(PostgresError) in try self.execute(statement, parameters) }
        }
    }

    /// Runs several statements as one message, and so in one transaction unless they say otherwise. On a
    /// pooled connection they can't: the transaction is ours, and a script that ends it is told so.
    ///
    /// - Parameter name: what errors call it; they add the line.
    public func executeScript(_ sql: String, name: String) async throws(PostgresError) {
        try await attended { () throws(PostgresError) in
            try self.standingAlone { () throws(PostgresError) in try self.executeScript(sql, name: name) }
        }
    }
}

extension Connection {
    /// The form for the inside of a transaction.
    public func query<Row>(
        _ statement: Statement<Row>, _ parameters: [Parameter] = []
    ) throws(PostgresError) -> [Row] {
        let result = try run(statement, parameters)
        var rows: [Row] = []
        rows.reserveCapacity(result.rowCount)
        for index in 0..<result.rowCount {
            rows.append(try statement.decode(RowReader(result, row: index, statement: statement.name)))
        }
        return rows
    }

    /// The form for the inside of a transaction.
    @discardableResult
    public func execute(
        _ statement: Statement<Void>, _ parameters: [Parameter] = []
    ) throws(PostgresError) -> Int {
        try run(statement, parameters).affectedRowCount
    }

    /// The form for the inside of a transaction.
    public func executeScript(_ sql: String, name: String) throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw Connection.nul(in: name) }
        let request = Request(name: name, text: sql, parameters: nil)
        // The server's timeout is for each statement, and none has less than one semicolon behind it.
        let statements = 1 + sql.utf8.count { $0 == UInt8(ascii: ";") }
        try planEachTime()
        _ = try exchange(request, settings.patience(statements: statements))
    }

    private func run<Row>(
        _ statement: Statement<Row>, _ parameters: [Parameter]
    ) throws(PostgresError) -> RawResult {
        guard !statement.text.utf8.contains(0), let table = CStringTable(parameters.map(\.wireText)) else {
            throw Connection.nul(in: statement.name)
        }
        let request = Request(name: statement.name, text: statement.text, parameters: table)
        switch statement.planning {
        case .once where canKeepPlans: return try exchangeByKeptPlan(request)
        case .once, .eachTime:
            try planEachTime()
            return try exchange(request, settings.patience())
        }
    }

    private static func nul(in name: String) -> PostgresError {
        PostgresError(
            .invalidParameter,
            "Statement \(name) was not sent: a text in it holds a NUL character, which "
                + "PostgreSQL can't store.", statement: name)
    }
}
