import Foundation
import Postgres
import TestSupport
import Testing

@Suite("Lost connections")
struct LossTests {
    private static let suicide = Statement<Bool>(
        "suicide", "SELECT pg_terminate_backend(pg_backend_pid())"
    ) { row throws(PostgresError) in try row.boolean(0) }

    @Test("A connection that the server ends is lost, closed for good, and says why")
    func terminated() async throws {
        try await withDatabase { database in
            let connection = try await Connection.open(database.settings)
            let error = await failure { () throws(PostgresError) in try await connection.query(LossTests.suicide) }
            #expect(error?.code == .connectionLost && error?.sqlState == "57P01")
            #expect(error?.isConnectionLoss == true)
            #expect(!connection.isOpen)
            let after = await failure { () throws(PostgresError) in try await connection.query(number("SELECT 1")) }
            #expect(after?.code == .closed)
        }
    }

    @Test("A session opens a new connection at the call after the loss")
    func reopens() async throws {
        try await withSession { session, _ in
            let first = try await session.query(number("SELECT pg_backend_pid()"))
            let error = await failure { () throws(PostgresError) in try await session.query(LossTests.suicide) }
            #expect(error?.code == .connectionLost)
            let second = try await session.query(number("SELECT pg_backend_pid()"))
            #expect(first != second)
        }
    }

    @Test("A session that was idle while its connection ended finds out and recovers")
    func idleLoss() async throws {
        try await withSession { session, database in
            let pid = try await session.query(number("SELECT pg_backend_pid()"))
            let other = Session(database.settings)
            let terminate = truth("SELECT pg_terminate_backend($1::int, 5000)")
            _ = try await other.query(terminate, [.bigint(Int64(pid.first ?? 0))])
            let error = await failure { () throws(PostgresError) in try await session.query(number("SELECT 1")) }
            #expect(error == nil || error?.code == .connectionLost)
            let rows = try await session.query(number("SELECT 2"))
            #expect(rows == [2])
            await other.close()
        }
    }

    @Test("A closed session stays closed")
    func closed() async throws {
        try await withDatabase { database in
            let session = Session(database.settings)
            _ = try await session.query(number("SELECT 1"))
            await session.close()
            let error = await failure { () throws(PostgresError) in try await session.query(number("SELECT 1")) }
            #expect(error?.code == .closed)
        }
    }

    @Test("Many who need a session at once share one connection")
    func sharedOpening() async throws {
        try await withSession { session, _ in
            let pids = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<20 { group.addTask { try await session.query(number("SELECT pg_backend_pid()")) } }
                return try await group.reduce(into: Set<Int>()) { $0.formUnion($1) }
            }
            #expect(pids.count == 1)
        }
    }

    @Test("One who gives up waiting for a session does not take the connection from the others")
    func sharedOpeningCancelled() async throws {
        try await withSession { session, _ in
            let impatient = Task { try? await session.query(number("SELECT 1")) }
            let patient = Task { try await session.query(number("SELECT 2")) }
            impatient.cancel()
            let rows = try await patient.value
            #expect(rows == [2])
            _ = await impatient.value
        }
    }

    @Test("Two hundred connections opened and closed leave no descriptor and no thread behind")
    func descriptors() async throws {
        try await withDatabase { database in
            // What the runtime opens lazily is open after the first round.
            for _ in 0..<5 { await (try Connection.open(database.settings)).close() }
            let mine = try ownResources()
            for _ in 0..<200 {
                let connection = try await Connection.open(database.settings)
                await connection.close()
            }
            // Other tests run in this process and open their own; the leak to be seen would be 200 and more.
            await eventually("descriptors and threads are as many as before") {
                guard let now = try? ownResources() else { return false }
                return now.descriptors < mine.descriptors + 100 && now.threads < mine.threads + 100
            }
        }
    }

    private func ownResources() throws -> (descriptors: Int, threads: Int) {
        (
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count,
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
        )
    }
}
