import Postgres
import TestSupport
import Testing

/// Runs the body with a session behind a pooler, on a database of its own.
func withPooledSession<Result>(
    poolSize: Int = 1, _ change: (inout ConnectionSettings) -> Void = { _ in },
    _ body: (Session, PgBouncer, TestDatabase) async throws -> Result
) async throws -> Result {
    try await withDatabase { database in
        try await withPgBouncer(inFrontOf: .shared(), poolSize: poolSize) { pooler in
            var settings = pooler.settings(for: database)
            change(&settings)
            let session = Session(settings)
            do {
                let result = try await body(session, pooler, database)
                await session.close()
                return result
            } catch {
                await session.close()
                throw error
            }
        }
    }
}

/// With one connection in the pool, whoever comes next gets the one that the last one had.
@Suite("Behind a pooler in transaction mode", .inFrontOfOwnServer, .timeLimit(.minutes(2)))
struct PooledConnectionTests {
    private static let names = [
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "row_security", "jit",
        "client_encoding", "client_min_messages", "TimeZone", "DateStyle", "standard_conforming_strings", "search_path",
        "application_name",
    ]
    private static let settingsOfSession = names.map { "SHOW \($0);" }.joined()
    private static let backend = number("SELECT pg_backend_pid()")
    private static let insert = Statement<Void>("insert", "INSERT INTO public.t VALUES ($1::int)")
    private static let count = number("SELECT count(*)::int FROM public.t")

    @Test("Nothing of ours stays for the application that gets the server's connection next")
    func leaksNothing() async throws {
        try await withPooledSession({ $0.statementTimeout = .milliseconds(300) }) { session, pooler, database in
            let plain = try await PlainClient.ask(
                database.tcpDSN + "?client_encoding=UTF8", Self.settingsOfSession)
            try await session.executeScript("CREATE TABLE public.t (n int CHECK (n < 100))", name: "table")
            try await session.execute(Self.insert, [1])
            _ = await failure { () throws(PostgresError) in try await session.execute(Self.insert, [100]) }
            _ = await failure { () throws(PostgresError) in try await session.execute(sleeping) }
            _ = await failure { () throws(PostgresError) in
                try await session.executeScript("SELECT 1; SELECT 1/0", name: "failing")
            }
            _ = try await session.transaction { connection throws(PostgresError) in
                try connection.query(Self.count)
            }
            let ours = try await session.query(Self.backend).first
            let theirs = try await PlainClient.ask(
                pooler.dsn(of: database) + "?client_encoding=UTF8", "SELECT pg_backend_pid();" + Self.settingsOfSession)
            #expect(theirs == "\(ours ?? 0)\n\(plain)")
        }
    }

    @Test("Each statement has our settings, whatever the application left on the server's connection")
    func hasSettings() async throws {
        try await withPooledSession { session, pooler, database in
            let backend = try await session.query(Self.backend).first
            let left = try await PlainClient.ask(
                pooler.dsn(of: database),
                "SET search_path = evil; SET statement_timeout = 77; SET row_security = on; SET lock_timeout = 1; "
                    + "SET client_min_messages = error; SELECT pg_backend_pid()")
            #expect(left == "\(backend ?? 0)")
            let expected = [
                ("statement_timeout", "30s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "30s"),
                ("row_security", "off"), ("jit", "off"), ("client_encoding", "UTF8"),
                ("client_min_messages", "warning"), ("TimeZone", "UTC"), ("DateStyle", "ISO, MDY"),
                ("standard_conforming_strings", "on"), ("search_path", "pg_catalog, pg_temp"),
                ("application_name", "subscriber-sync tests"),
            ]
            for (name, value) in expected {
                let alone = try await session.query(text("SELECT current_setting($1)"), [.text(name)])
                #expect(alone == [value], "\(name)")
                let inside = try await session.transaction { connection throws(PostgresError) in
                    try connection.query(text("SELECT current_setting($1)"), [.text(name)])
                }
                #expect(inside == [value], "\(name) in a transaction")
            }
            #expect(
                try await PlainClient.ask(pooler.dsn(of: database), "SHOW statement_timeout") == "77ms",
                "the application keeps what it set")
        }
    }

    @Test("The server ends a statement that takes too long, and the connection goes on")
    func deadline() async throws {
        try await withPooledSession({ $0.statementTimeout = .milliseconds(150) }) { session, _, _ in
            let error = await failure { () throws(PostgresError) in try await session.execute(sleeping) }
            #expect(error?.code == .deadlineExceeded && error?.statement == "sleeping")
            let rows = try await session.query(number("SELECT 1"))
            #expect(rows == [1])
        }
    }

    @Test("Cancelling ends the statement within a second, and gives the server's connection back")
    func cancellation() async throws {
        try await withPooledSession { session, pooler, database in
            let direct = Session(database.settings)
            let task = Task { await failure { () throws(PostgresError) in try await session.execute(sleeping) } }
            await eventually("the statement runs") { (try? await isRunning("pg_sleep(60)", seenBy: direct)) == true }
            let began = ContinuousClock.now
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            #expect(began.duration(to: .now) < .seconds(1))
            #expect(try await PlainClient.ask(pooler.dsn(of: database), "SELECT 1") == "1")
            let rows = try await session.query(number("SELECT 2"))
            #expect(rows == [2])
            await direct.close()
        }
    }

    @Test("Cancelled over and over at any moment, it answers its own questions, and disturbs nobody else's")
    func cancellationStorm() async throws {
        try await withPooledSession(poolSize: 2) { session, pooler, database in
            let beside = Session(pooler.settings(for: database))
            let neighbour = Task { () async throws -> Int in
                for round in 0..<150 {
                    let rows = try await beside.query(number("SELECT \(round) FROM pg_sleep(0.002)"))
                    #expect(rows == [round])
                }
                return 150
            }
            for round in 0..<120 {
                let task = Task { () async throws -> [Int] in
                    try await session.query(number("SELECT \(round) FROM pg_sleep(0.002)"))
                }
                try await Task.sleep(for: .microseconds(round * 60))
                task.cancel()
                if case .success(let rows) = await task.result { #expect(rows == [round]) }
                let rows = try await session.query(number("SELECT -\(round)"))
                #expect(rows == [-round])
            }
            #expect(try await neighbour.value == 150)
            await beside.close()
        }
    }

    @Test("A statement stands alone: done when it succeeds, gone when it fails, and no transaction stays open")
    func statements() async throws {
        try await withPooledSession { session, _, database in
            try await session.executeScript(
                "CREATE TABLE public.t (n int CHECK (n < 100)); ANALYZE public.t", name: "t")
            let inserted = try await session.execute(Self.insert, [1])
            #expect(inserted == 1)
            let error = await failure { () throws(PostgresError) in try await session.execute(Self.insert, [100]) }
            #expect(error?.sqlState == "23514" && error?.statement == "insert")
            let script = await failure { () throws(PostgresError) in
                try await session.executeScript("INSERT INTO public.t VALUES (2);\nSELECT 1/0", name: "bad")
            }
            #expect(script?.message.contains("bad") == true)
            let rows = try await session.query(Self.count)
            #expect(rows == [1])
            let direct = Session(database.settings)
            let open = try await direct.query(
                number(
                    "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() "
                        + "AND state LIKE 'idle in transaction%'"))
            #expect(open == [0])
            await direct.close()
        }
    }

    @Test("A transaction commits what its body did, or rolls all of it back")
    func transactions() async throws {
        try await withPooledSession { session, _, _ in
            try await session.executeScript("CREATE TABLE public.t (n int CHECK (n < 100))", name: "table")
            let seen = try await session.transaction { connection throws(PostgresError) in
                try connection.execute(Self.insert, [1])
                return try connection.query(Self.count)
            }
            #expect(seen == [1])
            let error = await failure { () throws(PostgresError) in
                try await session.transaction { connection throws(PostgresError) in
                    try connection.execute(Self.insert, [2])
                    try connection.execute(Self.insert, [100])
                }
            }
            #expect(error?.sqlState == "23514")
            let ended = await failure { () throws(PostgresError) in
                try await session.transaction { connection throws(PostgresError) in
                    try connection.executeScript("ROLLBACK", name: "bad")
                }
            }
            #expect(ended?.sqlState == "25P01")
            let rows = try await session.query(Self.count)
            #expect(rows == [1])
        }
    }

    @Test("Ten sessions on two connections of the server lose and mix up nothing")
    func sharing() async throws {
        try await withPooledSession(poolSize: 2) { session, pooler, database in
            try await session.executeScript("CREATE TABLE public.t (n int)", name: "table")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for one in 0..<10 {
                    group.addTask {
                        let own = Session(pooler.settings(for: database))
                        for round in 0..<20 {
                            let rows = try await own.query(number("SELECT $1::int"), [.bigint(Int64(round))])
                            #expect(rows == [round])
                            try await own.execute(Self.insert, [.bigint(Int64(one))])
                        }
                        await own.close()
                    }
                }
                try await group.waitForAll()
            }
            let rows = try await session.query(Self.count)
            #expect(rows == [200])
        }
    }
}
