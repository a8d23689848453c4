extension PostgresError {
    /// What the server said of a statement, without the values that it may have quoted.
    init(_ result: borrowing RawResult, of request: Request, isConnectionLost: Bool) {
        let refusal = Refusal(result, of: request)
        self.init(
            isConnectionLost ? .connectionLost : refusal.code,
            isConnectionLost ? refusal.lossMessage : refusal.message,
            sqlState: refusal.sqlState, statement: request.name, hint: refusal.hint)
    }
}

/// The parts of the server's answer to a statement that failed, made fit to be shown.
private struct Refusal {
    let sqlState: String?
    let code: PostgresError.Code
    let hint: String?
    private let name: String
    private let reason: String
    private let place: String

    init(_ result: borrowing RawResult, of request: Request) {
        let state = result.field(.sqlState)
        let isSpeaking = state.map(SQLState.mayQuoteMessage) ?? false
        sqlState = state
        code = Refusal.code(state)
        name = request.name
        hint = isSpeaking ? result.field(.hint) : nil
        place = request.parameters == nil ? Refusal.line(result, in: request.text) : ""
        let objects = Refusal.objects(result)
        reason =
            if isSpeaking, let message = result.field(.message) { message } else {
                (state.map(SQLState.name) ?? "the server gave no reason") + objects
            }
    }

    var message: String {
        "Statement \(name) failed\(place): \(reason)\(sqlState.map { " (SQLSTATE \($0))" } ?? "")."
    }

    var lossMessage: String {
        guard sqlState != nil else { return "The connection to PostgreSQL was lost during statement \(name)." }
        return "The connection to PostgreSQL was lost during statement \(name): \(reason)."
    }

    private static func code(_ state: String?) -> PostgresError.Code {
        switch state {
        case "53300": .tooManyConnections
        case nil: .connectionLost
        default: .statementFailed
        }
    }

    /// Names of what was violated; the server sends them apart from its message, and without values.
    private static func objects(_ result: borrowing RawResult) -> String {
        var names: [String] = []
        if let constraint = result.field(.constraint) { names.append("constraint \(quoteIdentifier(constraint))") }
        if let column = result.field(.column) { names.append("column \(quoteIdentifier(column))") }
        if let table = result.field(.table) {
            let schema = result.field(.schema).map { quoteIdentifier($0) + "." } ?? ""
            names.append("table \(schema)\(quoteIdentifier(table))")
        }
        return names.isEmpty ? "" : ", " + names.joined(separator: ", ")
    }

    /// The server counts characters from 1; a person looks for a line.
    private static func line(_ result: borrowing RawResult, in text: String) -> String {
        guard let position = result.field(.position).flatMap({ Int($0) }), position > 0 else { return "" }
        let before = text.unicodeScalars.prefix(position - 1)
        return " at line \(before.count { $0 == "\n" } + 1)"
    }
}
