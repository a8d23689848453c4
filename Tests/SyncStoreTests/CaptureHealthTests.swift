import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("The health of capture") struct CaptureHealthTests {
    static func health(_ fixture: Fixture, mapping: SourceMapping? = nil) async throws -> CaptureHealth {
        let session = Session(ConnectionSettings(dsn: fixture.database.dsn, applicationName: "health"))
        let source = SourceTable(
            mapping: mapping ?? fixture.mapping, name: fixture.mapping.table,
            keyType: KeyType(name: "bigint", operators: "pg_catalog", collation: nil))
        let health = try await Store(session: session, source: source, agent: "health").captureHealth()
        await session.close()
        return health
    }

    static func expectIntact(_ fixture: Fixture, mapping: SourceMapping? = nil) async throws {
        #expect(try await health(fixture, mapping: mapping) == .intact)
    }

    /// Expects the sentence; and that the remedy that the hint names is one.
    static func expectBroken(
        _ fixture: Fixture, _ sentence: String, mapping: SourceMapping? = nil, mendedBy remedy: String? = nil
    ) async throws {
        guard case .broken(let what, let hint) = try await health(fixture, mapping: mapping) else {
            Issue.record("nothing was found: \(sentence)")
            return
        }
        #expect(what == sentence)
        guard let remedy else { return }
        #expect(hint.contains(remedy))
        if remedy.contains("watch()") {
            try await fixture.run("SELECT subscriber_sync.watch()")
        } else {
            try await fixture.installCapture()
        }
        try await expectIntact(fixture)
    }

    @Test("is intact after migrate, on every kind of table")
    func isIntact() async throws {
        try await Fixture.run { try await Self.expectIntact($0) }
        try await Fixture.run(comparison: .row) { try await Self.expectIntact($0) }
        try await Fixture.run(before: "CREATE TABLE staff () INHERITS (users)") { try await Self.expectIntact($0) }
        try await Fixture.run(table: CaptureHardTests.partitioned) { fixture in
            try await Self.expectIntact(fixture)
            try await fixture.run("CREATE TABLE high PARTITION OF users FOR VALUES FROM (10) TO (20)")
            try await Self.expectIntact(fixture)
        }
    }

    @Test("sees a trigger that is gone, and all of them")
    func seesMissing() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("DROP TRIGGER subscriber_sync_delete ON users")
            try await Self.expectBroken(
                fixture, "public.users has lost the trigger subscriber_sync_delete.", mendedBy: "watch()")
            try await fixture.run("SELECT subscriber_sync.unwatch()")
            try await Self.expectBroken(fixture, "public.users has lost all triggers of ours.", mendedBy: "watch()")
            #expect(
                try await fixture.value("SELECT count(*) FROM subscriber_sync.sweep_request WHERE reason = 'watch'")
                    == "2")
        }
    }

    @Test("sees triggers that are disabled, also on one partition only")
    func seesDisabled() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("ALTER TABLE users DISABLE TRIGGER ALL")
            try await Self.expectBroken(
                fixture, "The trigger subscriber_sync_delete on public.users is switched off or over.",
                mendedBy: "watch()")
            try await fixture.run("ALTER TABLE users ENABLE REPLICA TRIGGER subscriber_sync_update")
            try await Self.expectBroken(
                fixture, "The trigger subscriber_sync_update on public.users is switched off or over.",
                mendedBy: "migrate")
        }
        try await Fixture.run(table: CaptureHardTests.partitioned) { fixture in
            try await fixture.run("ALTER TABLE low DISABLE TRIGGER subscriber_sync_insert")
            try await Self.expectBroken(
                fixture, "The trigger subscriber_sync_insert on public.users is switched off or over.",
                mendedBy: "watch()")
        }
    }

    @Test("sees a trigger that is another one under the same name")
    func seesAltered() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                CREATE OR REPLACE TRIGGER subscriber_sync_update AFTER UPDATE OF title ON users FOR EACH ROW
                EXECUTE FUNCTION subscriber_sync.capture('id', 'off')
                """)
            try await Self.expectBroken(
                fixture, "The trigger subscriber_sync_update on public.users is not the one that was made.",
                mendedBy: "watch()")
            try await fixture.run("ALTER TABLE users RENAME COLUMN title TO job")
            try await Self.expectBroken(
                fixture, "The trigger subscriber_sync_update on public.users is not the one that was made.")
        }
    }

    @Test("sees a table that was swapped for another, and says where the triggers are; no write fails")
    func seesSwap() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                CREATE TABLE users_new (LIKE users INCLUDING ALL);
                BEGIN; ALTER TABLE users RENAME TO users_old; ALTER TABLE users_new RENAME TO users; COMMIT;
                INSERT INTO users (id, email) VALUES (1, 'a@x'); INSERT INTO users_old (email) VALUES ('b@x')
                """)
            try await Self.expectBroken(
                fixture, "The triggers are on public.users_old now; public.users is another table or none.",
                mendedBy: "migrate")
            #expect(
                try await fixture.column(
                    "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'subscriber_sync%'")
                    == ["users"])
            #expect(try await fixture.column("SELECT reason FROM subscriber_sync.sweep_request") == ["migrate"])
            try await fixture.run("ALTER TABLE users RENAME TO people")
            try await Self.expectBroken(
                fixture, "The triggers are on public.people now; public.users is another table or none.")
            try await fixture.run("DROP TABLE people")
            try await Self.expectBroken(fixture, "There is no table public.users any more.")
        }
    }

    @Test("sees a BEFORE UPDATE trigger that was added since, where ours name columns")
    func seesBeforeTrigger() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN NEW.title := upper(NEW.notes); RETURN NEW; END';
                CREATE TRIGGER shout BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION shout()
                """)
            try await Self.expectBroken(
                fixture,
                "public.users has a BEFORE UPDATE trigger now (shout), and what it changes may escape ours.",
                mendedBy: "migrate")
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            _ = try await CaptureTests.changes(fixture)
            try await fixture.run("UPDATE users SET notes = 'boss'")
            #expect(try await CaptureTests.changes(fixture) == ["1"])
        }
    }

    @Test("sees a table that inherits and has no triggers, and one that has gone with its rows is no matter")
    func seesChildren() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("CREATE TABLE staff (desk text) INHERITS (users)")
            try await Self.expectBroken(
                fixture, "public.staff inherits from a watched table and has no triggers of ours.", mendedBy: "migrate")
            try await fixture.run("DROP TABLE staff")
            try await Self.expectIntact(fixture)
        }
    }

    @Test("sees settings with another mapping than the triggers watch, and a schema without triggers")
    func seesMapping() async throws {
        try await Fixture.run { fixture in
            let old = SourceMapping.users
            let other = SourceMapping(
                table: old.table, key: old.key, reference: old.reference, scope: old.scope, fields: [.lastName: "notes"]
            )
            let same = SourceMapping(
                table: old.table, key: old.key, reference: old.reference, scope: old.scope,
                fields: [.lastName: "first_name", .jobTitle: "title", .timeZone: "time_zone"])
            #expect(try await Self.health(fixture, mapping: other) != .intact)
            #expect(try await Self.health(fixture, mapping: same) == .intact, "the same columns are watched")
            try await fixture.run("DELETE FROM subscriber_sync.capture_trigger")
            try await Self.expectBroken(fixture, "public.users has no triggers of ours yet.", mendedBy: "migrate")
        }
    }

    @Test("survives a dump and a restore, after which the tables have other ids")
    func survivesRestore() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("UPDATE subscriber_sync.capture_trigger SET relation_oid = 1")
            try await Self.expectIntact(fixture)
        }
    }
}
