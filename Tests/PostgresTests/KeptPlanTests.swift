import Postgres
import TestSupport
import Testing

@Suite("Plans that the server keeps", .timeLimit(.minutes(1)))
struct KeptPlanTests {
    private static let kept = number("SELECT count(*)::int FROM pg_prepared_statements")
    private static let planning = text(
        "SELECT concat_ws(' ', current_setting('plan_cache_mode'), current_setting('enable_seqscan'), $1::text)")

    private static func read(_ sql: String) -> Statement<String?> {
        Statement("read", sql, planning: .once) { row throws(PostgresError) in try row.optionalText(0) }
    }

    /// A session with a table of one row, which a statement reads by its key.
    private func withRow(
        _ body: (Session, Statement<String?>, TestDatabase) async throws -> Void
    ) async throws {
        try await withSession { session, database in
            try await session.executeScript(
                "CREATE TABLE public.t (id int PRIMARY KEY, name text); INSERT INTO public.t VALUES (1, 'Ada')",
                name: "table")
            try await body(session, Self.read("SELECT name FROM public.t WHERE id = $1::int"), database)
        }
    }

    @Test("A statement that is planned once is kept by the server, and answers each time for the values it is given")
    func isKept() async throws {
        try await withRow { session, statement, _ in
            for _ in 1...3 { try await session.expect(["Ada"], of: statement, [1]) }
            try await session.expect([], of: statement, [2])
            try await session.expect([1], of: Self.kept)
        }
    }

    @Test("What runs between two runs of it is planned as the session's settings say")
    func leavesOthersAlone() async throws {
        try await withRow { session, statement, _ in
            try await session.expect(["auto on "], of: Self.planning, [""])
            _ = try await session.query(statement, [1])
            try await session.expect(["auto on "], of: Self.planning, [""])
            _ = try await session.query(statement, [1])
            let inside = try await session.transaction { connection throws(PostgresError) in
                try connection.query(Self.planning, [""])
            }
            #expect(inside == ["auto on "])
        }
    }

    @Test("It is planned for whatever values, and without sequential scans")
    func isGeneric() async throws {
        try await withSession { session, _ in
            let statement = Self.read("SELECT current_setting('enable_seqscan') || $1::text")
            for _ in 1...3 { try await session.expect(["off!"], of: statement, ["!"]) }
            let plans = text("SELECT concat(generic_plans, ' ', custom_plans) FROM pg_prepared_statements")
            try await session.expect(["3 0"], of: plans)
        }
    }

    @Test("A column that got another type, and a plan that was thrown away, cost nothing but a new plan")
    func survivesLoss() async throws {
        try await withRow { session, statement, _ in
            _ = try await session.query(statement, [1])
            try await session.executeScript("ALTER TABLE public.t ALTER name TYPE varchar(40)", name: "type")
            try await session.expect(["Ada"], of: statement, [1])
            try await session.expect(["Ada"], of: statement, [1])
            try await session.executeScript("DEALLOCATE ALL", name: "loss")
            try await session.expect(["Ada"], of: statement, [1])
            try await session.expect(["Ada"], of: statement, [1])
            try await session.expect([1], of: Self.kept)
        }
    }

    @Test("A statement that fails says so, and runs again once it can")
    func fails() async throws {
        try await withRow { session, statement, _ in
            _ = try await session.query(statement, [1])
            let error = await failure { () throws(PostgresError) in try await session.query(statement, ["one"]) }
            #expect(error?.sqlState == "22P02")
            try await session.executeScript("ALTER TABLE public.t RENAME name TO label", name: "rename")
            let missing = await failure { () throws(PostgresError) in try await session.query(statement, [1]) }
            #expect(missing?.sqlState == "42703")
            try await session.executeScript("ALTER TABLE public.t RENAME label TO name", name: "rename")
            try await session.expect(["Ada"], of: statement, [1])
        }
    }

    @Test("After enough losses it is planned each time, and nothing more is kept")
    func givesUpKeeping() async throws {
        try await withRow { session, statement, _ in
            for _ in 1...110 {
                _ = await failure { () throws(PostgresError) in try await session.query(statement, ["one"]) }
            }
            try await session.expect(["Ada"], of: statement, [1])
            let count = try await session.query(Self.kept).first ?? 0
            #expect((1...100).contains(count))
        }
    }

    @Test("Inside a transaction nothing is kept")
    func notInsideTransaction() async throws {
        try await withRow { session, statement, _ in
            let names = try await session.transaction { connection throws(PostgresError) in
                try connection.query(statement, [1])
            }
            #expect(names == ["Ada"])
            try await session.expect([0], of: Self.kept)
        }
    }
}

@Suite("Plans behind a pooler", .inFrontOfOwnServer, .timeLimit(.minutes(2)))
struct PooledPlanTests {
    @Test("Nothing is kept on a session that is lent")
    func keepsNothing() async throws {
        try await withPooledSession { session, pooler, database in
            let statement = Statement<Int>("one", "SELECT $1::int", planning: .once) { row throws(PostgresError) in
                try row.integer(0)
            }
            for _ in 1...3 { try await session.expect([1], of: statement, [1]) }
            let left = try await PlainClient.ask(
                pooler.dsn(of: database),
                "SELECT count(*) FROM pg_prepared_statements; SHOW plan_cache_mode; SHOW enable_seqscan")
            #expect(left == "0\nauto\non")
        }
    }
}

extension Session {
    /// Runs a statement, which has to answer with these rows.
    fileprivate func expect<Row: Equatable>(
        _ rows: [Row], of statement: Statement<Row>, _ parameters: [Parameter] = [],
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await query(statement, parameters)
        #expect(found == rows, sourceLocation: location)
    }
}
