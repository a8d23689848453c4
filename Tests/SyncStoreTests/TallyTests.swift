import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("The counts by status") struct TallyTests {
    private static let insert = """
        INSERT INTO subscriber_sync.subscriber (user_key, standing)
        SELECT i::text, (ARRAY['synced', 'held', 'unsynced'])[1 + i % 3] FROM generate_series(1, 90) i
        """

    /// Each writes users in another way. What is counted must be what is there after every one.
    private static let writes = [
        insert,
        "UPDATE subscriber_sync.subscriber SET due_at = now() WHERE standing = 'held'",
        "UPDATE subscriber_sync.subscriber SET attempts = 1",
        "UPDATE subscriber_sync.subscriber SET lease = 1 WHERE user_key < '3'",
        "DELETE FROM subscriber_sync.subscriber WHERE standing = 'synced'",
        """
        INSERT INTO subscriber_sync.subscriber AS s (user_key, standing) VALUES ('1', 'held'), ('new', 'rejected')
        ON CONFLICT (user_key) DO UPDATE SET lease = NULL, due_at = NULL, standing = excluded.standing
        """,
        """
        WITH gone AS (DELETE FROM subscriber_sync.subscriber WHERE user_key = '4' RETURNING user_key),
            made AS (INSERT INTO subscriber_sync.subscriber (user_key) SELECT user_key || 'x' FROM gone)
        UPDATE subscriber_sync.subscriber SET standing = 'deleted' WHERE user_key = '7'
        """,
        "TRUNCATE subscriber_sync.subscriber",
        insert,
    ]

    @Test("are the table's after every kind of statement, and few rows however many there were")
    func counts() async throws {
        try await Fixture.run { fixture in
            for write in Self.writes {
                try await fixture.run(write)
                #expect(try await Tally.miscounted(in: fixture.session) == [], "\(write)")
            }
            for round in 1...600 {
                try await fixture.run(
                    """
                    UPDATE subscriber_sync.subscriber SET standing = CASE standing WHEN 'held' THEN 'synced' ELSE 'held' END
                    WHERE user_key = '\(1 + round % 90)'
                    """)
            }
            #expect(try await Tally.miscounted(in: fixture.session) == [])
            // Without sums there were 1200. That 300 statements in a row sum nothing up happens once in 13,000 runs.
            let rows = try #require(try await fixture.value("SELECT count(*) FROM subscriber_sync.tally"))
            #expect(try #require(Int(rows)) < 600)
        }
    }

    @Test("are the table's in every snapshot while others write and sum up, and nobody waits for them")
    func concurrency() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(Self.insert)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<3 {
                    group.addTask {
                        try await withSession(fixture.database.dsn) { session in
                            for round in 0..<200 {
                                let standing = ["held", "synced", "rejected"][round % 3]
                                try await session.executeScript(
                                    """
                                    UPDATE subscriber_sync.subscriber SET standing = '\(standing)'
                                    WHERE user_key::integer % 3 = \(writer)
                                    """, name: "writer")
                            }
                        }
                    }
                }
                for _ in 0..<50 { #expect(try await Tally.miscounted(in: fixture.session) == []) }
                for _ in 0..<5 { try await Tally.recount(in: fixture.session) }
                try await group.waitForAll()
            }
            #expect(try await Tally.miscounted(in: fixture.session) == [])
        }
    }

    @Test("that were passed by are found, and counted anew")
    func recount() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "SET session_replication_role = replica; \(Self.insert); SET session_replication_role = origin")
            #expect(try await Tally.miscounted(in: fixture.session) == ["held", "synced", "unsynced"])
            #expect(try await UpkeepFacts.read(in: fixture.session).countsCheck.verdict == .warn)
            try await Tally.recount(in: fixture.session)
            #expect(try await Tally.miscounted(in: fixture.session) == [])
            #expect(try await FleetStatus.read(in: fixture.session).count(of: "held") == 30)
        }
    }
}
