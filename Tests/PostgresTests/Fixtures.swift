import Postgres
import TestSupport

/// Runs the body with a session on a database of its own.
func withSession<Result>(
    _ change: (inout ConnectionSettings) -> Void = { _ in },
    _ body: (Session, TestDatabase) async throws -> Result
) async throws -> Result {
    try await withDatabase { database in
        var settings = database.settings
        change(&settings)
        let session = Session(settings)
        do {
            let result = try await body(session, database)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }
}

/// The error of work that has to fail.
func failure(of work: () async throws(PostgresError) -> some Any) async -> PostgresError? {
    do throws(PostgresError) {
        _ = try await work()
        return nil
    } catch {
        return error
    }
}

/// Everything that a log, a crash report or a debugger would show of an error.
func everyForm(of error: some Error) -> String {
    var dumped = ""
    dump(error, to: &dumped)
    return [String(describing: error), String(reflecting: error), dumped].joined(separator: "\n")
}

func text(_ sql: String) -> Statement<String?> {
    Statement("text", sql) { row throws(PostgresError) in try row.optionalText(0) }
}

func number(_ sql: String) -> Statement<Int> {
    Statement("number", sql) { row throws(PostgresError) in try row.integer(0) }
}

func truth(_ sql: String) -> Statement<Bool> {
    Statement("truth", sql) { row throws(PostgresError) in try row.boolean(0) }
}

/// Takes long, whatever the server has to do.
let sleeping = Statement<Void>("sleeping", "SELECT pg_sleep(60)")

/// Whether somebody on the server is in a statement that holds the text.
func isRunning(_ mark: String, seenBy session: Session) async throws -> Bool {
    let statement = number(
        "SELECT count(*)::int FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
            + "AND datname = current_database() AND query LIKE '%' || $1 || '%'")
    return try await session.query(statement, [.text(mark)]).first != 0
}
