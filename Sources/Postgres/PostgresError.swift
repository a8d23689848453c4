/// Why something could not be had from PostgreSQL: a sentence for the operator, and never a value.
///
/// The texts hold names (statements, tables, columns, constraints, hosts, roles), but no parameter, no
/// row, no password and no connection string, so an error may be logged wherever it ends up.
public struct PostgresError: Error, Sendable, Equatable {
    /// What kind of failure it is, as far as a caller decides by it.
    public enum Code: Sendable, Hashable, CaseIterable {
        /// The connection string can't be read, or contradicts itself. Trying again does not help.
        case invalidSettings
        /// The server could not be reached, or is not ready yet.
        case connectionFailed
        /// The server was reached and refused the role, its password or its encryption.
        case authenticationFailed
        /// The server or the role has no connection left.
        case tooManyConnections
        /// An open connection is gone. Whether its last statement took effect is not known.
        case connectionLost
        /// The server ended the statement because it took longer than allowed. The connection goes on.
        case deadlineExceeded
        /// The task was cancelled. The statement had no effect, unless its connection was given up too.
        case cancelled
        /// The server refused the statement; `sqlState` says why.
        case statementFailed
        /// A parameter can't be sent as it is. Nothing was sent.
        case invalidParameter
        /// The answer is not what the statement's decoder expects.
        case unexpectedResult
        /// The connection or session was closed by us before.
        case closed
        /// The operating system gave no thread or descriptor.
        case resourcesExhausted
    }

    public let code: Code
    /// The five characters by which PostgreSQL names the condition (its documentation, appendix A).
    public let sqlState: String?
    /// The name of the statement or script, not its text.
    public let statement: String?
    /// One sentence of what failed.
    public let message: String
    /// One sentence of what to do about it.
    public let hint: String?

    public init(
        _ code: Code, _ message: String, sqlState: String? = nil, statement: String? = nil, hint: String? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.statement = statement
        self.hint = hint
    }

    /// Whether there is no connection now, and another attempt later may find one.
    public var isConnectionLoss: Bool {
        switch code {
        case .connectionFailed, .tooManyConnections, .connectionLost: true
        case .invalidSettings, .authenticationFailed, .deadlineExceeded, .cancelled, .statementFailed,
            .invalidParameter, .unexpectedResult, .closed, .resourcesExhausted:
            false
        }
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String { message }
}

extension PostgresError {
    static func cancelled(_ statement: String?) -> PostgresError {
        let what = statement.map { "Statement \($0)" } ?? "Connecting to PostgreSQL"
        return PostgresError(.cancelled, "\(what) was cancelled.", statement: statement)
    }

    /// The same, of another kind.
    func with(_ code: Code) -> PostgresError {
        PostgresError(code, message, sqlState: sqlState, statement: statement, hint: hint)
    }

    static let closed = PostgresError(.closed, "The connection to PostgreSQL is closed.")
}
