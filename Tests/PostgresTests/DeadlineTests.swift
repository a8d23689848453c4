import Postgres
import TestSupport
import Testing

@Suite("Deadlines and cancellation")
struct DeadlineTests {
    @Test("The server ends a statement that takes too long, and the connection goes on")
    func serverDeadline() async throws {
        try await withSession({ $0.statementTimeout = .milliseconds(150) }) { session, _ in
            let first = try await session.query(number("SELECT pg_backend_pid()"))
            let error = await failure { () throws(PostgresError) in try await session.execute(sleeping) }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.sqlState == "57014" && error?.statement == "sleeping")
            #expect(error?.isConnectionLoss == false)
            let second = try await session.query(number("SELECT pg_backend_pid()"))
            #expect(first == second)
        }
    }

    @Test("A lock that is held too long is an error by its SQLSTATE")
    func lockTimeout() async throws {
        try await withSession({ $0.lockTimeout = .milliseconds(100) }) { session, database in
            try await session.executeScript("CREATE TABLE public.t (n int)", name: "table")
            let holder = try await Connection.open(database.settings)
            let error = try await holder.transaction { connection throws(PostgresError) in
                try connection.executeScript("LOCK TABLE public.t", name: "lock")
                return connection.backendPID
            }
            #expect(error > 0)
            let waiting = Task {
                try await holder.transaction { connection throws(PostgresError) in
                    try connection.executeScript("LOCK TABLE public.t; SELECT pg_sleep(5)", name: "hold")
                }
            }
            await eventually("the lock is held") { (try? await isRunning("pg_sleep(5)", seenBy: session)) == true }
            let refused = await failure { () throws(PostgresError) in
                try await session.query(text("SELECT n FROM public.t FOR UPDATE"))
            }
            #expect(refused?.sqlState == "55P03" && refused?.code == .statementFailed)
            waiting.cancel()
            _ = await waiting.result
        }
    }

    @Test("A statement that another session cancels is not taken for a deadline of ours")
    func cancelledByAnother() async throws {
        try await withSession { session, database in
            let task = Task { await failure { () throws(PostgresError) in try await session.execute(sleeping) } }
            let other = Session(database.settings)
            await eventually("the statement runs") { (try? await isRunning("pg_sleep(60)", seenBy: other)) == true }
            _ = try await other.query(
                truth(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
                        + "AND pid <> pg_backend_pid() AND datname = current_database()"))
            let error = await task.value
            #expect(error?.code == .statementFailed && error?.sqlState == "57014")
            await other.close()
        }
    }

    @Test("Cancelling the task ends the statement within a second, and the connection is clean")
    func cancellation() async throws {
        try await withSession { session, database in
            let other = Session(database.settings)
            let first = try await session.query(number("SELECT pg_backend_pid()"))
            let task = Task { await failure { () throws(PostgresError) in try await session.execute(sleeping) } }
            await eventually("the statement runs") { (try? await isRunning("pg_sleep(60)", seenBy: other)) == true }
            let began = ContinuousClock.now
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            #expect(began.duration(to: .now) < .seconds(1))
            let second = try await session.query(number("SELECT pg_backend_pid()"))
            #expect(first == second)
            await other.close()
        }
    }

    @Test("A cancelled task's statement is not sent at all")
    func cancelledBefore() async throws {
        try await withSession { session, _ in
            try await session.executeScript("CREATE SEQUENCE public.s", name: "sequence")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () throws(PostgresError) in
                    try await session.query(number("SELECT nextval('public.s')::int"))
                }
            }
            #expect(await task.value?.code == .cancelled)
            let next = try await session.query(number("SELECT nextval('public.s')::int"))
            #expect(next == [1])
        }
    }

    @Test("Cancelled over and over at any moment, a connection stays clean and answers its own questions")
    func cancellationStorm() async throws {
        try await withSession { session, _ in
            for round in 0..<120 {
                let task = Task { () async throws -> [Int] in
                    try await session.query(number("SELECT \(round) FROM pg_sleep(0.002)"))
                }
                try await Task.sleep(for: .microseconds(round * 40))
                task.cancel()
                if case .success(let rows) = await task.result { #expect(rows == [round]) }
                let rows = try await session.query(number("SELECT -\(round)"))
                #expect(rows == [-round])
            }
        }
    }
}

@Suite("Half-open connections")
struct HalfOpenTests {
    /// A session through a proxy that can stop forwarding, and one beside it.
    private func withProxy(
        statementTimeout: Duration, _ body: (Session, StallingProxy, Session) async throws -> Void
    ) async throws {
        guard let port = try await PostgresServer.shared().port else { return }
        try await withSession { beside, database in
            let proxy = try StallingProxy(to: port)
            defer { proxy.stop() }
            var settings = ConnectionSettings(
                dsn: "postgresql://postgres@127.0.0.1:\(proxy.port)/\(database.name)", applicationName: "test")
            settings.statementTimeout = statementTimeout
            settings.answerGrace = .milliseconds(200)
            let session = Session(settings)
            try await body(session, proxy, beside)
            await session.close()
        }
    }

    @Test("Where no answer comes at all, our own deadline gives the connection up, and the session reopens")
    func clientDeadline() async throws {
        try await withProxy(statementTimeout: .milliseconds(200)) { session, proxy, _ in
            _ = try await session.query(number("SELECT 1"))
            proxy.stall()
            let began = ContinuousClock.now
            let error = await failure { () throws(PostgresError) in try await session.query(number("SELECT 2")) }
            #expect(error?.code == .connectionLost)
            #expect(began.duration(to: .now) < .seconds(3))
            proxy.resume()
            let rows = try await session.query(number("SELECT 3"))
            #expect(rows == [3])
            #expect(proxy.acceptedCount == 2)
        }
    }

    @Test("Cancelling where nobody answers gives the connection up after the grace, and the session reopens")
    func cancellation() async throws {
        try await withProxy(statementTimeout: .seconds(30)) { session, proxy, beside in
            let task = Task { await failure { () throws(PostgresError) in try await session.execute(sleeping) } }
            await eventually("the statement runs") { (try? await isRunning("pg_sleep(60)", seenBy: beside)) == true }
            proxy.stall()
            let began = ContinuousClock.now
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            #expect(began.duration(to: .now) < .seconds(3))
            proxy.resume()
            let rows = try await session.query(number("SELECT 3"))
            #expect(rows == [3])
        }
    }
}
