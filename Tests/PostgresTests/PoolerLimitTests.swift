import Postgres
import TestSupport
import Testing

@Suite("What a pooler tells, refuses or holds back", .inFrontOfOwnServer, .timeLimit(.minutes(2)))
struct PoolerLimitTests {
    @Test("A connection knows whether there is a pooler", arguments: ["transaction", "session"])
    func knows(mode: String) async throws {
        try await withDatabase { database in
            try await withPgBouncer(inFrontOf: .shared(), mode: mode) { pooler in
                let pooled = try await Connection.open(pooler.settings(for: database))
                #expect(pooled.isPooled && pooled.serverVersion > 120_000)
                await pooled.close()
                for dsn in [database.dsn, database.tcpDSN] {
                    let direct = try await Connection.open(ConnectionSettings(dsn: dsn, applicationName: "test"))
                    #expect(!direct.isPooled)
                    await direct.close()
                }
            }
        }
    }

    @Test("A pooler that has no connection to spare is given up after the deadline, with a hint")
    func exhausted() async throws {
        try await withPooledSession({ settings in
            settings.statementTimeout = .milliseconds(200)
            settings.answerGrace = .milliseconds(200)
        }) { session, pooler, database in
            _ = try await session.query(number("SELECT 1"))
            try await whileOpen(pooler.dsn(of: database), "SELECT 1") {
                let error = await failure { () throws(PostgresError) in try await session.query(number("SELECT 2")) }
                #expect(error?.code == .connectionLost && error?.hint?.contains("pooler") == true)
            }
            let rows = try await session.query(number("SELECT 3"))
            #expect(rows == [3])
        }
    }

    /// PgBouncer drops the request to cancel a client that has no server yet, so only the grace ends the wait.
    @Test("A statement that the pooler holds back is cancelled with its task, at the latest after the grace")
    func cancelledInQueue() async throws {
        try await withPooledSession({ $0.answerGrace = .milliseconds(300) }) { session, pooler, database in
            _ = try await session.query(number("SELECT 1"))
            try await whileOpen(pooler.dsn(of: database), "SELECT 1") {
                let task = Task {
                    await failure { () throws(PostgresError) in try await session.query(number("SELECT 2")) }
                }
                try await Task.sleep(for: .milliseconds(100))
                let began = ContinuousClock.now
                task.cancel()
                #expect(await task.value?.code == .cancelled)
                #expect(began.duration(to: .now) < .seconds(2))
            }
            let rows = try await session.query(number("SELECT 3"))
            #expect(rows == [3])
        }
    }

    @Test("Nothing that we send by ourselves is refused; what the operator adds is, with what to do about it")
    func startup() async throws {
        try await withPooledSession { _, pooler, database in
            let dsn = pooler.dsn(of: database) + "?options=-c%20geqo%3Doff"
            let error = await failure { () throws(PostgresError) in
                try await Connection.open(ConnectionSettings(dsn: dsn, applicationName: "test"))
            }
            #expect(error?.sqlState == "08P01" && error?.code == .connectionFailed)
            #expect(error?.hint?.contains("ignore_startup_parameters") == true)
        }
    }

    @Test("A pooler that allows no transactions is refused in its own words")
    func statementMode() async throws {
        try await withDatabase { database in
            try await withPgBouncer(inFrontOf: .shared(), mode: "statement") { pooler in
                let session = Session(pooler.settings(for: database))
                let error = await failure { () throws(PostgresError) in try await session.query(number("SELECT 1")) }
                #expect(error?.message.contains("statement pooling") == true, "\(error?.message ?? "no error")")
                await session.close()
            }
        }
    }
}
