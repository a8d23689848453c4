import Migrations
import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Agents one migration apart") struct RollingUpgradeTests {
    /// What a migration may do beside agents of the version before: it adds, and replaces what has the same shape.
    static let next = Migration(
        version: Migration.newest + 1, name: "next",
        sql: """
            ALTER TABLE subscriber_sync.subscriber ADD COLUMN shard integer NOT NULL DEFAULT 0;
            ALTER TABLE subscriber_sync.log ADD COLUMN shard integer;
            ALTER TABLE subscriber_sync.agent ADD COLUMN zone text;
            ALTER TABLE subscriber_sync.control ADD COLUMN tempo integer NOT NULL DEFAULT 1,
                DROP CONSTRAINT IF EXISTS control_pause_kind_check;
            CREATE TABLE subscriber_sync.shard (id integer PRIMARY KEY);
            CREATE INDEX subscriber_shard ON subscriber_sync.subscriber (shard) WHERE due_at IS NOT NULL;
            DO $$ BEGIN
                EXECUTE 'CREATE OR REPLACE VIEW subscriber_sync.status AS SELECT v.*, 0 AS shards FROM ('
                    || rtrim(pg_get_viewdef('subscriber_sync.status'::regclass), ';') || ') AS v';
                EXECUTE replace(
                    pg_get_functiondef('subscriber_sync.admit'::regproc), 'DECLARE', 'DECLARE shards integer;');
            END $$;
            """)
    static let afterNext = Migration(version: Migration.newest + 2, name: "after_next", sql: "SELECT 1")
    static let newer = Migration.all + [next]

    @Test("work beside each other, through the migration and after it, and call nobody twice")
    func workTogether() async throws {
        try await Bench.run(faults: ["latency=10"]) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 1500) i")
            try await bench.withAgent("older") { _ in
                await eventually(within: .seconds(10), "the older is at work") {
                    bench.sandbox.statistics().requests > 100
                }
                let applied = try await Migrator(session: bench.fixture.session, migrations: Self.newer).migrate()
                #expect(applied == [Self.next])
                let before = bench.sandbox.statistics().requests
                await eventually(within: .seconds(10), "and still is after the migration") {
                    bench.sandbox.statistics().requests > min(before + 100, 1499)
                }
                try await bench.fixture.run("SET search_path = public; UPDATE users SET title = 'U'")
                try await bench.withAgent("newer", migrations: Self.newer) { _ in
                    try await eventually(within: .seconds(30), "all are synced") {
                        try await bench.fixture.value(
                            "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'") == "1500"
                    }
                }
            }
            try await bench.agrees()
            #expect(
                try await bench.fixture.column(
                    "SELECT DISTINCT agent FROM subscriber_sync.log WHERE outcome = 'accepted' ORDER BY 1")
                    == ["newer", "older"])
            #expect(bench.sandbox.statistics().created == 1500)
            // Started on the schema that is newer than it knows, too.
            try await bench.fixture.run("SET search_path = public; UPDATE users SET title = 'V' WHERE id < 100")
            #expect(try await bench.runUntilIdle("older-again") == .idle)
            try await bench.agrees()
        }
    }

    @Test("agree that nobody pushes, where the older doesn't know what for")
    func heedsUnknownPause() async throws {
        try await Bench.run { bench in
            _ = try await Migrator(session: bench.fixture.session, migrations: Self.newer).migrate()
            try await bench.fixture.run(
                "UPDATE subscriber_sync.control SET pause_kind = 'moonlight', paused_at = now();"
                    + "SET search_path = public; INSERT INTO users (email) VALUES ('a@x')")
            #expect(try await bench.runUntilIdle("older") == .paused)
            #expect(bench.sandbox.statistics().requests == 0)
            try await FleetControl(session: bench.fixture.session, operatorName: "me").resume()
            #expect(try await bench.runUntilIdle("older") == .idle)
            try await bench.agrees()
        }
    }

    @Test("stop being so with a second migration: the older one ends by itself, and says what it needs")
    func endsWhenOutgrown() async throws {
        try await Bench.run { bench in
            try await bench.withAgent("older") { agent in
                _ = try await Migrator(session: bench.fixture.session, migrations: Self.newer).migrate()
                try await eventually(within: .seconds(10), "it has looked again") {
                    try await bench.fixture.value("SELECT seen_at > started_at FROM subscriber_sync.agent") == "t"
                }
                #expect(agent.refusal == nil)
                _ = try await Migrator(
                    session: bench.fixture.session, migrations: Self.newer + [Self.afterNext], program: "9.9"
                ).migrate()
                await eventually(within: .seconds(20), "it ends") { agent.outcome == .stopped }
                #expect(agent.refusal?.code == .schema)
                #expect(agent.refusal?.hint?.contains("9.9") == true)
            }
            await #expect(throws: StoreError.self) { _ = try await bench.agent("older") { _ in } }
        }
    }
}
