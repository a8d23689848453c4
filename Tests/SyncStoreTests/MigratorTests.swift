import Migrations
import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("The migrator") struct MigratorTests {
    static func onEmptyDatabase(_ body: @Sendable (Session, TestDatabase) async throws -> Void) async throws {
        try await withDatabase { database in
            let session = Session(ConnectionSettings(dsn: database.dsn, applicationName: "test"))
            do {
                try await body(session, database)
            } catch {
                await session.close()
                throw error
            }
            await session.close()
        }
    }

    @Test("applies each migration once, whoever else does it at the same time")
    func isSafeAtOnce() async throws {
        try await Self.onEmptyDatabase { session, database in
            let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let own = Session(ConnectionSettings(dsn: database.dsn, applicationName: "migrator \(number)"))
                        let applied = try await Migrator(session: own).migrate()
                        await own.close()
                        return applied
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.map(\.version).sorted() == Migration.all.map(\.version))
            try await Migrator(session: session).checkSchema()
        }
    }

    @Test("and the installer of triggers both end well, however many do the same")
    func installsAtOnce() async throws {
        try await Self.onEmptyDatabase { session, database in
            try await session.executeScript("SET search_path = public; " + Fixture.usersTable, name: "users")
            let installed = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let own = Session(ConnectionSettings(dsn: database.dsn, applicationName: "migrator \(number)"))
                        _ = try await Migrator(session: own).migrate()
                        let source = try await SourceTable.find(.users, in: own)
                        let installer = CaptureInstaller(session: own)
                        let work = try await installer.install { () async throws(StoreError) in
                            try await installer.plan(for: source, comparison: .columns, notification: .guarded)
                        }
                        await own.close()
                        return work.statements.isEmpty ? 0 : 1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(installed >= 1)
            let store = try await Store.open(session, mapping: .users, lease: .seconds(60), agent: "test")
            #expect(try await store.captureHealth() == .intact)
        }
    }

    @Test("leaves nothing behind of a migration that fails")
    func isAtomic() async throws {
        try await Self.onEmptyDatabase { session, _ in
            let broken = Migration(
                version: Migration.all.count + 1, name: "broken",
                sql: "CREATE TABLE subscriber_sync.half (); SELECT 1 / 0")
            await #expect(throws: StoreError.self) {
                try await Migrator(session: session, migrations: Migration.all + [broken]).migrate()
            }
            let half = try await session.query(
                Statement<Bool>("half", "SELECT to_regclass('subscriber_sync.half') IS NULL") {
                    row throws(PostgresError) in try row.boolean(0)
                })
            #expect(half == [true])
            #expect(try await Migrator(session: session).pending().isEmpty)
        }
    }

    @Test("does a migration anew that PostgreSQL ended for a deadlock with running agents")
    func retriesDeadlocks() async throws {
        try await Self.onEmptyDatabase { session, _ in
            _ = try await Migrator(session: session).migrate()
            // A sequence counts on where a transaction is rolled back.
            try await session.executeScript("CREATE SEQUENCE public.attempts", name: "attempts")
            let unlucky = Migration(
                version: Migration.all.count + 1, name: "unlucky",
                sql: """
                    DO $$ BEGIN IF nextval('public.attempts') < 3 THEN
                        RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF; END $$;
                    CREATE TABLE subscriber_sync.lucky ()
                    """)
            let applied = try await Migrator(session: session, migrations: Migration.all + [unlucky]).migrate()
            #expect(applied.map(\.name) == ["unlucky"])
        }
    }

    @Test("refuses a schema that is missing, older, newer, or not its own, each with a hint")
    func refuses() async throws {
        try await Self.onEmptyDatabase { session, _ in
            let missing = await Self.refusal { try await Migrator(session: session).checkSchema() }
            #expect(missing?.code == .schema)
            #expect(missing?.hint == "Run `subscriber-sync migrate` first.")

            _ = try await Migrator(session: session).migrate()
            let count = Migration.all.count
            let next = Migration(version: count + 1, name: "next", sql: "SELECT 1")
            let older = await Self.refusal {
                try await Migrator(session: session, migrations: Migration.all + [next]).checkSchema()
            }
            #expect(
                older?.message
                    == "The schema subscriber_sync has version \(count), and this program needs \(count + 1).")

            let newer = await Self.refusal {
                _ = try await Migrator(session: session, migrations: Array(Migration.all.dropLast())).migrate()
            }
            #expect(newer?.message.contains("newer than this program knows (\(count - 1))") == true)

            var changed = Migration.all
            changed[1] = Migration(version: 2, name: "state", sql: "SELECT 'not what was applied'")
            let altered = await Self.refusal { _ = try await Migrator(session: session, migrations: changed).migrate() }
            #expect(altered?.message.contains("V0002__state.sql is not the one that was applied") == true)
        }
    }

    @Test("lets a program that is one migration older work, but not migrate, and refuses one that is two older")
    func rollsOver() async throws {
        try await Self.onEmptyDatabase { session, _ in
            let count = Migration.all.count
            let next = [
                Migration(version: count + 1, name: "next", sql: "CREATE TABLE subscriber_sync.next ()"),
                Migration(version: count + 2, name: "after", sql: "CREATE TABLE subscriber_sync.after ()"),
            ]
            let newer = Migrator(session: session, migrations: Migration.all + next.prefix(1), program: "9.1")
            _ = try await newer.migrate()
            try await newer.checkSchema()
            let older = Migrator(session: session)
            try await older.checkSchema()
            let migrating = await Self.refusal { _ = try await older.migrate() }
            #expect(migrating?.code == .schema && migrating?.hint?.contains("9.1") == true)
            #expect(await Self.refusal { _ = try await older.pending() } != nil)

            _ = try await Migrator(session: session, migrations: Migration.all + next, program: "9.2").migrate()
            try await newer.checkSchema()
            let refused = await Self.refusal { try await older.checkSchema() }
            #expect(
                refused?.message
                    == "The schema subscriber_sync has version \(count + 2), and this program works with versions "
                    + "\(count) and \(count + 1).")
            #expect(refused?.hint == "Use the version of subscriber-sync that applied it (9.2), or a later one.")
        }
    }

    @Test("doesn't take an older program's word for a migration that it knows and that was changed")
    func comparesWhatItKnows() async throws {
        try await Self.onEmptyDatabase { session, _ in
            let count = Migration.all.count
            let next = Migration(version: count + 1, name: "next", sql: "SELECT 1")
            _ = try await Migrator(session: session, migrations: Migration.all + [next]).migrate()
            try await session.executeScript(
                "UPDATE subscriber_sync.migration SET checksum = 'other' WHERE version = 2", name: "test")
            let refused = await Self.refusal { try await Migrator(session: session).checkSchema() }
            #expect(refused?.message.contains("V0002__state.sql is not the one that was applied") == true)
        }
    }

    static func refusal(_ body: () async throws -> Void) async -> StoreError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test("prints a script that does by psql what it does itself")
    func printsScript() async throws {
        try await Self.onEmptyDatabase { session, _ in
            let migrator = Migrator(session: session)
            try await session.executeScript(migrator.script(), name: "script")
            try await migrator.checkSchema()
            #expect(try await migrator.migrate().isEmpty)
        }
    }

    @Test("and the uninstaller leave the database as it was found")
    func leavesNoTrace() async throws {
        try await Self.onEmptyDatabase { session, database in
            try await session.executeScript("SET search_path = public; " + Fixture.usersTable, name: "users")
            let before = try await Self.catalogue(session)
            #expect(before.count > 10)
            let fixture = Fixture(database: database, session: session, mapping: .users)
            try await fixture.migrate()
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x')")
            #expect(try await Self.catalogue(session) != before)
            let uninstaller = Uninstaller(session: session)
            let statements = try await uninstaller.plan()
            #expect(statements.count == 6)
            try await uninstaller.apply(statements)
            #expect(try await Self.catalogue(session) == before)
            #expect(try await uninstaller.plan().isEmpty)
            try await fixture.run("INSERT INTO users (email) VALUES ('b@x')")
        }
    }

    @Test("doesn't take away what somebody built on our tables")
    func refusesStrangers() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("CREATE VIEW public.mine AS SELECT user_key FROM subscriber_sync.subscriber")
            let refusal = await Self.refusal { _ = try await Uninstaller(session: fixture.session).plan() }
            #expect(refusal?.message.contains("public.mine") == true)
        }
    }

    /// Everything in the database that isn't PostgreSQL's own.
    static func catalogue(_ session: Session) async throws -> [String] {
        try await session.query(
            Statement<String>(
                "catalogue",
                """
                SELECT entry FROM (
                    SELECT 'schema ' || nspname AS entry FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
                    UNION ALL SELECT 'class ' || oid::regclass::text || ' ' || relkind::text || ' ' || coalesce(relacl::text, '') FROM pg_class
                        WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
                    UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger
                    UNION ALL SELECT 'function ' || oid::regprocedure::text FROM pg_proc WHERE oid >= 16384
                    UNION ALL SELECT 'type ' || oid::regtype::text FROM pg_type WHERE oid >= 16384
                    UNION ALL SELECT 'column ' || attrelid::regclass::text || '.' || attname FROM pg_attribute
                        WHERE attrelid >= 16384 AND attnum > 0
                    UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE oid >= 16384
                    UNION ALL SELECT 'comment ' || objoid::text FROM pg_description WHERE objoid >= 16384
                    UNION ALL SELECT 'depends ' || count(*)::text FROM pg_depend WHERE objid >= 16384
                    UNION ALL SELECT 'rule ' || rulename FROM pg_rewrite WHERE oid >= 16384
                ) AS everything WHERE entry !~ 'pg_toast' ORDER BY 1
                """
            ) { row throws(PostgresError) in try row.text(0) })
    }
}
