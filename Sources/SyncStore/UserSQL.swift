import Postgres

/// SQL that a user wrote, as it stands inside a statement of ours: in brackets, on lines of its own, so that a
/// comment at its end ends there.
///
/// Nothing here keeps it from closing the bracket; `ConditionCheck` does, before it is used.
func bracketed(_ sql: String) -> String { "(\n\(sql)\n)" }

/// Whether a text is one condition on the columns of a table: `source.where`, and `--where`.
///
/// PostgreSQL itself parses it, in two kinds of brackets. What closes a round one on its way, as `true) or (true`
/// does, is a syntax error in a square one, and the other way round; so what both accept leaves neither, and means
/// the same wherever a statement of ours puts it.
enum ConditionCheck {
    /// What is wrong with the text; `nil`: nothing.
    ///
    /// - Parameter name: what the user calls it, for the sentence.
    static func misfit(
        of condition: String, named name: String, on table: QualifiedName, in session: Session
    ) async throws(PostgresError) -> StoreError? {
        for probe in probes(condition, table) {
            do {
                _ = try await session.execute(probe)
            } catch {
                guard error.code == .statementFailed else { throw error }
                return StoreError(
                    .mismatch, "\(name) is not a condition on \(table): \(error.reason)",
                    hint: [error.hint, hint].compactMap(\.self).joined(separator: " "))
            }
        }
        return nil
    }

    private static let hint =
        "Write one condition on the table's columns, as behind WHERE; functions, types and tables outside of pg_catalog "
        + "need their schema's name, since the search path is pinned."

    /// Statements that read no row, and have no parameter that the text could name.
    static func probes(_ condition: String, _ table: QualifiedName) -> [Statement<Void>] {
        [
            Statement("check_condition", "SELECT FROM \(table.quoted) WHERE \(bracketed(condition)) LIMIT 0"),
            Statement("check_brackets", "SELECT ARRAY[\n\(condition)\n] FROM \(table.quoted) LIMIT 0"),
        ]
    }
}

extension PostgresError {
    /// What the server said, without the name by which we call the statement.
    var reason: String {
        guard let statement, message.hasPrefix("Statement \(statement) failed"),
            let colon = message.firstRange(of: ": ")
        else { return message }
        return String(message[colon.upperBound...])
    }
}
