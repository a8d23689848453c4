import Foundation
import Postgres
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
    private static let insert = Statement<Void>("insert", "INSERT INTO public.t VALUES ($1::int)")
    private static let count = number("SELECT count(*)::int FROM public.t")

    private func withTable(_ body: (Session) async throws -> Void) async throws {
        try await withSession { session, _ in
            try await session.executeScript("CREATE TABLE public.t (n int CHECK (n < 100))", name: "table")
            try await body(session)
        }
    }

    @Test("What the body did is there after it returned, and its value comes back")
    func commits() async throws {
        try await withTable { session in
            let seen = try await session.transaction { connection throws(PostgresError) in
                try connection.execute(TransactionTests.insert, [1])
                return try connection.query(TransactionTests.count)
            }
            #expect(seen == [1])
            let rows = try await session.query(TransactionTests.count)
            #expect(rows == [1])
        }
    }

    @Test("What the body did is gone after it threw, and the connection goes on")
    func rollsBack() async throws {
        try await withTable { session in
            let error = await failure { () throws(PostgresError) in
                try await session.transaction { connection throws(PostgresError) in
                    try connection.execute(TransactionTests.insert, [1])
                    try connection.execute(TransactionTests.insert, [100])
                }
            }
            #expect(error?.sqlState == "23514")
            let rows = try await session.query(TransactionTests.count)
            #expect(rows == [0])
        }
    }

    @Test("A failure that the body swallowed does not pass for a commit")
    func swallowed() async throws {
        try await withTable { session in
            let error = await failure { () throws(PostgresError) in
                try await session.transaction { connection throws(PostgresError) in
                    try connection.execute(TransactionTests.insert, [1])
                    _ = try? connection.execute(TransactionTests.insert, [100])
                }
            }
            #expect(error?.code == .statementFailed && error?.sqlState == "25P02")
            let rows = try await session.query(TransactionTests.count)
            #expect(rows == [0])
        }
    }

    @Test("A body that ends the transaction itself is told so")
    func endedInside() async throws {
        try await withTable { session in
            let error = await failure { () throws(PostgresError) in
                try await session.transaction { connection throws(PostgresError) in
                    try connection.executeScript("COMMIT", name: "bad")
                }
            }
            #expect(error?.sqlState == "25P01")
        }
    }

    @Test("A script leaves no transaction behind, whether it fails or forgets its end")
    func cleanAfterScript() async throws {
        try await withTable { session in
            try await session.executeScript("BEGIN; INSERT INTO public.t VALUES (1);", name: "forgetful")
            _ = await failure { () throws(PostgresError) in
                try await session.executeScript("BEGIN; SELECT 1/0; COMMIT;", name: "failing")
            }
            let rows = try await session.query(TransactionTests.count)
            #expect(rows == [0])
        }
    }

    @Test("A cancelled transaction is rolled back at once")
    func cancelled() async throws {
        try await withSession { session, database in
            try await session.executeScript("CREATE TABLE public.t (n int)", name: "table")
            let other = Session(database.settings)
            let task = Task {
                await failure { () throws(PostgresError) in
                    try await session.transaction { connection throws(PostgresError) in
                        try connection.execute(TransactionTests.insert, [1])
                        try connection.execute(sleeping)
                    }
                }
            }
            await eventually("the body waits") { (try? await isRunning("pg_sleep(60)", seenBy: other)) == true }
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            let rows = try await other.query(TransactionTests.count)
            #expect(rows == [0])
            let locks = number("SELECT count(*)::int FROM pg_locks WHERE relation = 'public.t'::regclass")
            let held = try await other.query(locks)
            #expect(held == [0])
            await other.close()
        }
    }

    @Test("COPY to the client is refused, and does not hang")
    func copy() async throws {
        try await withSession { session, _ in
            let error = await failure { () throws(PostgresError) in
                try await session.executeScript("COPY (SELECT 1) TO STDOUT", name: "copy")
            }
            #expect(error?.code == .unexpectedResult)
            let rows = try await session.query(number("SELECT 2"))
            #expect(rows == [2])
        }
    }

    @Test("Fifty questions at once are answered each with its own answer")
    func concurrent() async throws {
        try await withDatabase { database in
            let connection = try await Connection.open(database.settings)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        let statement = number("SELECT $1::int FROM pg_sleep(0.001)")
                        let rows = try await connection.query(statement, [.bigint(Int64(index))])
                        #expect(rows == [index])
                    }
                }
                try await group.waitForAll()
            }
            await connection.close()
        }
    }

    @Test("Nobody's statement comes between those of a transaction")
    func uninterrupted() async throws {
        try await withTable { session in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let isAlone = try await session.transaction { connection throws(PostgresError) in
                            let first = try connection.query(text("SELECT txid_current()::text"))
                            try connection.execute(TransactionTests.insert, [1])
                            return try connection.query(text("SELECT txid_current()::text")) == first
                        }
                        #expect(isAlone)
                    }
                    group.addTask { _ = try await session.query(TransactionTests.count) }
                }
                try await group.waitForAll()
            }
            let rows = try await session.query(TransactionTests.count)
            #expect(rows == [20])
        }
    }

    @Test("A transaction runs on the connection's own thread, and the runtime knows it")
    func isolation() async throws {
        try await withSession { session, _ in
            let threads = try await session.transaction { connection throws(PostgresError) in
                connection.assertIsolated()
                connection.preconditionIsolated()
                return Int(pthread_self())
            }
            let again = try await session.transaction { _ throws(PostgresError) in Int(pthread_self()) }
            #expect(threads == again)
        }
    }
}
