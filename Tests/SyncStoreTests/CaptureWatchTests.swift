import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("watch() and unwatch()") struct CaptureWatchTests {
    static func changes(_ fixture: Fixture) async throws -> [String?] { try await CaptureTests.changes(fixture) }

    static func triggers(_ fixture: Fixture) async throws -> [String?] {
        try await fixture.column(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'subscriber_sync%' AND tgparentid = 0 ORDER BY 1")
    }

    @Test("let the application change the type of a mapped column, which the triggers otherwise prevent")
    func changesType() async throws {
        try await Fixture.run { fixture in
            let change = "ALTER TABLE users ALTER COLUMN title TYPE varchar(80)"
            await #expect(throws: PostgresError.self) { try await fixture.run(change) }
            try await fixture.run(
                "BEGIN; SELECT subscriber_sync.unwatch(); \(change); SELECT subscriber_sync.watch(); COMMIT")
            #expect(try await Self.triggers(fixture).count == 5)
            #expect(try await fixture.column("SELECT reason FROM subscriber_sync.sweep_request") == ["watch"])
            try await fixture.run("INSERT INTO users (id, title) VALUES (1, 'x'); UPDATE users SET title = 'y'")
            #expect(try await Self.changes(fixture) == ["1", "1"])
            try await fixture.run("UPDATE users SET notes = 'n'")
            #expect(try await Self.changes(fixture) == [])
            try await CaptureHealthTests.expectIntact(fixture)
        }
    }

    @Test("let the application drop a mapped column: the rest is captured by comparing rows, until migrate")
    func dropsColumn() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                BEGIN; SELECT subscriber_sync.unwatch(); ALTER TABLE users DROP COLUMN title;
                SELECT subscriber_sync.watch(); COMMIT
                """)
            #expect(try await Self.triggers(fixture).count == 5)
            #expect(
                try await fixture.column("SELECT trigger_name FROM subscriber_sync.capture_trigger WHERE is_fallback")
                    == ["subscriber_sync_update"])
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x'); UPDATE users SET email = 'b@x'")
            #expect(try await Self.changes(fixture) == ["1", "1"])
            try await fixture.run("UPDATE users SET notes = 'n'")
            #expect(try await Self.changes(fixture) == [])

            try await fixture.run("ALTER TABLE users ADD COLUMN title text")
            try await fixture.installCapture()
            #expect(try await fixture.value("SELECT bool_or(is_fallback) FROM subscriber_sync.capture_trigger") == "f")
            try await fixture.run("UPDATE users SET title = 'x'")
            #expect(try await Self.changes(fixture) == ["1"])
        }
    }

    @Test("never make the application's migration fail, not even where the key or the table is gone")
    func survivesAnything() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                BEGIN; SELECT subscriber_sync.unwatch(); ALTER TABLE users RENAME COLUMN id TO user_id;
                ALTER TABLE users DROP COLUMN email; SELECT subscriber_sync.watch(); COMMIT
                """)
            try await fixture.run("INSERT INTO users (title) VALUES ('x'); UPDATE users SET title = 'y'")
            try await fixture.run(
                """
                BEGIN; SELECT subscriber_sync.unwatch(); DROP TABLE users; SELECT subscriber_sync.watch(); COMMIT;
                BEGIN; SELECT subscriber_sync.unwatch(); CREATE VIEW users AS SELECT 1 AS id;
                SELECT subscriber_sync.watch(); COMMIT
                """)
        }
    }

    @Test("can be repeated, and leave alone what is as it should be")
    func isIdempotent() async throws {
        try await Fixture.run { fixture in
            let ids = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_trigger WHERE tgname ~ '^subscriber_sync'"
            let before = try await fixture.value(ids)
            #expect(try await fixture.value("SELECT subscriber_sync.watch()") == "0")
            #expect(try await fixture.value(ids) == before)
            #expect(try await fixture.value("SELECT subscriber_sync.unwatch()") == "5")
            #expect(try await fixture.value("SELECT subscriber_sync.unwatch()") == "0")
            #expect(try await fixture.value("SELECT subscriber_sync.watch()") == "5")
            #expect(try await fixture.value("SELECT subscriber_sync.watch()") == "0")
            let store = try await fixture.store()
            let work = try await CaptureInstaller(session: fixture.session).plan(
                for: store.source, comparison: .columns, notification: .guarded)
            #expect(work.statements.isEmpty)
            await store.close()
        }
    }

    @Test("are there for the owner of the table, who needs no other right on our schema, and for nobody else")
    func servesTheOwner() async throws {
        let (owner, stranger) = ("owner_\(UInt32.random(in: 0 ... .max))", "app_\(UInt32.random(in: 0 ... .max))")
        let roles = "CREATE ROLE \(owner); CREATE ROLE \(stranger); ALTER TABLE users OWNER TO \(owner)"
        try await Fixture.run(before: roles) { fixture in
            try await fixture.run(
                """
                SET ROLE \(owner);
                SELECT subscriber_sync.unwatch();
                ALTER TABLE public.users ALTER COLUMN title TYPE varchar(80);
                SELECT subscriber_sync.watch();
                INSERT INTO public.users (id, email) VALUES (1, 'a@x');
                RESET ROLE
                """)
            #expect(try await Self.changes(fixture) == ["1"])
            #expect(try await fixture.column("SELECT reason FROM subscriber_sync.sweep_request") == ["watch"])
            for (role, sql) in [
                (owner, "SELECT * FROM subscriber_sync.subscriber"), (owner, "DELETE FROM subscriber_sync.change"),
                (owner, "INSERT INTO subscriber_sync.sweep_request (reason) VALUES ('x')"),
                (owner, "UPDATE subscriber_sync.capture_trigger SET definition = 'DROP TABLE users'"),
                (stranger, "SELECT subscriber_sync.unwatch()"),
            ] {
                await #expect(throws: PostgresError.self, "\(sql)") {
                    try await fixture.run("BEGIN; SET LOCAL ROLE \(role); \(sql); COMMIT")
                }
                try await fixture.run("ROLLBACK")
            }
            let store = try await fixture.store()
            let work = try await CaptureInstaller(session: fixture.session).plan(
                for: store.source, comparison: .columns, notification: .guarded)
            #expect(work.statements.isEmpty, "what was granted is granted once")
            await store.close()
            let uninstaller = Uninstaller(session: fixture.session)
            try await uninstaller.apply(try await uninstaller.plan())
            try await fixture.run("ALTER TABLE users OWNER TO CURRENT_USER; DROP ROLE \(owner), \(stranger)")
        }
    }

    @Test("cover only what the caller owns, and leave the rest as it is")
    func respectsOwners() async throws {
        let owner = "owner_\(UInt32.random(in: 0 ... .max))"
        let tables = """
            CREATE ROLE \(owner); ALTER TABLE users OWNER TO \(owner);
            CREATE TABLE staff () INHERITS (users); ALTER TABLE staff OWNER TO CURRENT_USER
            """
        try await Fixture.run(before: tables) { fixture in
            #expect(try await Self.triggers(fixture).count == 10)
            try await fixture.run("SET ROLE \(owner); SELECT subscriber_sync.unwatch(); RESET ROLE")
            #expect(try await Self.triggers(fixture).count == 5)
            try await fixture.run("DROP TRIGGER subscriber_sync_insert ON staff")
            try await fixture.run("SET ROLE \(owner); SELECT subscriber_sync.watch(); RESET ROLE")
            #expect(try await Self.triggers(fixture).count == 9)
            try await CaptureHealthTests.expectBroken(
                fixture, "public.staff has lost the trigger subscriber_sync_insert.")
            try await fixture.run("DROP OWNED BY \(owner) CASCADE; DROP ROLE \(owner)")
        }
    }
}
