import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Capture") struct CaptureTests {
    /// The keys that were appended since the last look.
    static func changes(_ fixture: Fixture) async throws -> [String?] {
        try await fixture.column(
            "WITH gone AS (DELETE FROM subscriber_sync.change RETURNING user_key) SELECT * FROM gone ORDER BY 1")
    }

    @Test("appends inserts, updates of watched columns, deletes, and both keys of a changed key")
    func appends() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x')")
            #expect(try await Self.changes(fixture) == ["1", "2"])
            try await fixture.run("UPDATE users SET title = 'x' WHERE id = 1")
            #expect(try await Self.changes(fixture) == ["1"])
            try await fixture.run("UPDATE users SET email = 'c@x' WHERE id = 2")
            #expect(try await Self.changes(fixture) == ["2"])
            try await fixture.run("UPDATE users SET deleted_at = now() WHERE id = 2")
            #expect(try await Self.changes(fixture) == ["2"], "source.where reads it")
            try await fixture.run("UPDATE users SET id = 9 WHERE id = 1")
            #expect(try await Self.changes(fixture) == ["1", "9"])
            try await fixture.run("DELETE FROM users WHERE id = 9")
            #expect(try await Self.changes(fixture) == ["9"])
        }
    }

    @Test("works where the reference is the key itself, as in the settings' own example")
    func keyIsReference() async throws {
        let old = SourceMapping.users
        let mapping = SourceMapping(
            table: old.table, key: "id", reference: "id", scope: nil,
            fields: [.jobTitle: "title", .displayName: "title"])
        try await Fixture.run(mapping: mapping) { fixture in
            try await fixture.run("INSERT INTO users (id) VALUES (1); UPDATE users SET title = 'x'")
            #expect(try await Self.changes(fixture) == ["1", "1"])
        }
    }

    @Test("appends nothing for other columns, for the same values, or for what was rolled back")
    func ignores() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            _ = try await Self.changes(fixture)
            try await fixture.run("UPDATE users SET notes = 'n'; UPDATE users SET title = 'x', email = email")
            try await fixture.run("BEGIN; UPDATE users SET title = 'y'; ROLLBACK")
            #expect(try await Self.changes(fixture).isEmpty)
        }
    }

    @Test("sees what a BEFORE trigger changes in a column that the UPDATE doesn't name")
    func seesBeforeTriggers() async throws {
        let trigger = """
            CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.title := upper(NEW.notes); RETURN NEW; END';
            CREATE TRIGGER shout BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION shout()
            """
        try await Fixture.run(before: trigger) { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            _ = try await Self.changes(fixture)
            try await fixture.run("UPDATE users SET notes = 'boss'")
            #expect(try await Self.changes(fixture) == ["1"])
        }
    }

    @Test("compares rows inside the function where no column may be depended on")
    func comparesRows() async throws {
        try await Fixture.run(comparison: .row) { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            _ = try await Self.changes(fixture)
            try await fixture.run("UPDATE users SET notes = 'n'; UPDATE users SET title = NULL")
            #expect(try await Self.changes(fixture).isEmpty)
            try await fixture.run("UPDATE users SET title = 'x'")
            #expect(try await Self.changes(fixture) == ["1"])
            try await fixture.run("ALTER TABLE users DROP COLUMN title; UPDATE users SET email = 'b@x'")
            #expect(try await Self.changes(fixture) == ["1"], "a dropped column doesn't make a write fail")
        }
    }

    @Test("never fails the application's write, even where the key column was renamed")
    func survivesRename() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("ALTER TABLE users RENAME COLUMN id TO user_id")
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x'); UPDATE users SET title = 'y'")
            #expect(try await fixture.value("SELECT changes_without_key > 0 FROM subscriber_sync.status") == "t")
        }
    }

    @Test("serves an application role that has no right on our schema")
    func needsNoRights() async throws {
        try await Fixture.run { fixture in
            let role = "app_\(UInt32.random(in: 0 ... .max))"
            try await fixture.run("CREATE ROLE \(role); GRANT INSERT, UPDATE, SELECT ON users TO \(role)")
            try await fixture.run("SET ROLE \(role); INSERT INTO users (id, email) VALUES (1, 'a@x'); RESET ROLE")
            #expect(try await Self.changes(fixture) == ["1"])
            try await fixture.run("REVOKE ALL ON users FROM \(role); DROP ROLE \(role)")
        }
    }

    @Test("works on partitions, also on those that are attached later")
    func followsPartitions() async throws {
        let table = """
            CREATE TABLE public.users (id int, email text, first_name text, title text, time_zone text,
                deleted_at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE low PARTITION OF users FOR VALUES FROM (0) TO (10)
            """
        try await Fixture.run(table: table) { fixture in
            try await fixture.run(
                "CREATE TABLE high PARTITION OF users FOR VALUES FROM (10) TO (20);"
                    + "INSERT INTO users (id, email) VALUES (1, 'a@x'), (11, 'b@x')")
            #expect(try await Self.changes(fixture) == ["1", "11"])
            try await fixture.run("UPDATE users SET title = 'x' WHERE id = 11")
            #expect(try await Self.changes(fixture) == ["11"])
        }
    }

    @Test("knocks once for a transaction, and not where another is about to knock")
    func knocksGuarded() async throws {
        try await Fixture.run { fixture in
            let listener = Listener(
                ConnectionSettings(dsn: fixture.database.dsn, applicationName: "ear"), channels: ["subscriber_sync"])
            let running = Task { await listener.run() }
            defer { running.cancel() }
            var events = listener.events.makeAsyncIterator()
            guard case .listening = await events.next() else {
                Issue.record("listening")
                return
            }
            try await whileOpen(fixture.database.dsn, "INSERT INTO public.users (email) VALUES ('a@x')") {
                // The rival is about to knock, so we need not.
                try await fixture.run("INSERT INTO users (email) VALUES ('b@x'), ('c@x')")
                try await fixture.run("NOTIFY subscriber_sync, 'marker'")
                #expect(Self.payload(await events.next()) == "marker")
            }
            #expect(Self.payload(await events.next()) == "")
            try await fixture.run(
                "BEGIN; INSERT INTO users (email) VALUES ('d@x'); UPDATE users SET title = 'x'; COMMIT")
            try await fixture.run("NOTIFY subscriber_sync, 'end'")
            #expect(Self.payload(await events.next()) == "")
            #expect(Self.payload(await events.next()) == "end")
        }
    }

    private static func payload(_ event: ListenerEvent?) -> String? {
        guard case .notified(_, let payload, _) = event else { return nil }
        return payload
    }

    @Test("is left alone where it is as it should be, and renewed where the settings changed")
    func isIdempotent() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let installer = CaptureInstaller(session: fixture.session)
            let same = try await installer.plan(for: store.source, comparison: .columns, notification: .guarded)
            #expect(same.statements.isEmpty)
            let other = try await installer.plan(for: store.source, comparison: .columns, notification: .off)
            #expect(other.statements.filter { $0.hasPrefix("DROP TRIGGER") }.count == 2, "most name it in a function")
            try await installer.apply(other)
            let then = try await installer.plan(for: store.source, comparison: .columns, notification: .off)
            #expect(then.statements.isEmpty)
            await store.close()
        }
    }

    @Test("gives up quickly where the table is locked, and says so")
    func isPatientOnlyBriefly() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let installer = CaptureInstaller(session: fixture.session)
            let work = try await installer.plan(for: store.source, comparison: .row, notification: .guarded)
            try await whileOpen(fixture.database.dsn, "INSERT INTO public.users (email) VALUES ('a@x')") {
                await #expect(throws: StoreError.self) { try await installer.apply(work, attempts: 1) }
            }
            try await installer.apply(work)
            await store.close()
        }
    }
}
