import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Capture, where it is hard") struct CaptureHardTests {
    static let partitioned = """
        CREATE TABLE public.users (id int, email text, first_name text, title text, time_zone text, notes text,
            deleted_at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF users FOR VALUES FROM (0) TO (10)
        """

    static func requests(_ fixture: Fixture) async throws -> [String?] {
        try await fixture.column("SELECT reason FROM subscriber_sync.sweep_request ORDER BY requested_at")
    }

    /// As if SignalWire had accepted it.
    static func accept(_ claim: Claim, in store: Store) async throws {
        guard case .present(.some(let reference), _, _) = claim.source else { return }
        let request = AdmissionRequest(user: claim.user, lease: claim.lease, reference: reference)
        _ = try await store.admit([request], limit: 10)
        _ = try await store.settle([try SettleTests.settlement(claim, .accepted(try #require(SettleTests.id)))])
    }

    static func changes(_ fixture: Fixture) async throws -> [String?] { try await CaptureTests.changes(fixture) }

    @Test("TRUNCATE asks for a sweep, also by way of CASCADE, and knocks")
    func truncates() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "CREATE TABLE tenants (id int PRIMARY KEY); ALTER TABLE users ADD tenant int REFERENCES tenants")
            try await fixture.run("TRUNCATE users; TRUNCATE tenants CASCADE")
            try await fixture.run("BEGIN; TRUNCATE users; ROLLBACK")
            #expect(try await Self.requests(fixture) == ["truncate", "truncate"])
            #expect(try await Self.changes(fixture) == [])
        }
    }

    @Test("tables that inherit from the source are captured like it")
    func inherits() async throws {
        let children = """
            CREATE TABLE staff (desk text) INHERITS (users); CREATE TABLE chiefs () INHERITS (staff)
            """
        try await Fixture.run(before: children) { fixture in
            try await fixture.run("INSERT INTO staff (id, email) VALUES (1, 'a@x'); INSERT INTO chiefs (id) VALUES (2)")
            #expect(try await Self.changes(fixture) == ["1", "2"])
            try await fixture.run("UPDATE users SET title = 'x'; UPDATE staff SET desk = 'd'")
            #expect(try await Self.changes(fixture) == ["1", "2"])
            try await fixture.run("DELETE FROM chiefs")
            #expect(try await Self.changes(fixture) == ["2"])
            try await fixture.run("TRUNCATE staff")
            #expect(try await Self.requests(fixture) == ["truncate", "truncate"])
        }
    }

    @Test("session_replication_role = replica hides changes, unless capture.on_replica is set")
    func replicates() async throws {
        let write = """
            SET session_replication_role = replica; INSERT INTO users (id, email) VALUES (%, 'a@x');
            RESET session_replication_role
            """
        for table in [Fixture.usersTable, Self.partitioned] {
            try await Fixture.run(table: table) { fixture in
                try await fixture.run(write.replacing("%", with: "1"))
                #expect(try await Self.changes(fixture) == [])
                try await fixture.installCapture(firesOnReplica: true)
                try await fixture.run(write.replacing("%", with: "2"))
                #expect(try await Self.changes(fixture) == ["2"])
                try await CaptureHealthTests.expectIntact(fixture)
                try await fixture.run("SELECT subscriber_sync.unwatch(); SELECT subscriber_sync.watch()")
                try await fixture.run(write.replacing("%", with: "3"))
                #expect(try await Self.changes(fixture) == ["3"])
                try await CaptureHealthTests.expectIntact(fixture)
            }
        }
    }

    @Test("what is rolled back to a savepoint is as if it had not been, and the rest is appended and knocks")
    func rollsBack() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                BEGIN; INSERT INTO users (id) VALUES (1);
                SAVEPOINT s; INSERT INTO users (id) VALUES (2); ROLLBACK TO s;
                INSERT INTO users (id) VALUES (3); COMMIT
                """)
            #expect(try await Self.changes(fixture) == ["1", "3"])
            try await fixture.run("BEGIN; INSERT INTO users (id) VALUES (4); ROLLBACK")
            #expect(try await Self.changes(fixture) == [])
        }
    }

    @Test("a knock that a savepoint took back is knocked again by the next row")
    func knocksAgain() async throws {
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
            try await fixture.run(
                """
                BEGIN; SAVEPOINT s; INSERT INTO users (id) VALUES (1); ROLLBACK TO s;
                INSERT INTO users (id) VALUES (2); COMMIT; NOTIFY subscriber_sync, 'end'
                """)
            var payloads: [String] = []
            while payloads.last != "end", case .notified(_, let payload, _)? = await events.next() {
                payloads.append(payload)
            }
            #expect(payloads == ["", "end"])
        }
    }

    @Test("COPY, INSERT … ON CONFLICT DO UPDATE and a bulk UPDATE append each row once")
    func bulk() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                INSERT INTO users (id, title) VALUES (1, 'a'), (2, 'b') ON CONFLICT (id) DO UPDATE SET title = excluded.title;
                INSERT INTO users (id, title) VALUES (2, 'b'), (3, 'c') ON CONFLICT (id) DO UPDATE SET title = excluded.title
                """)
            #expect(try await Self.changes(fixture) == ["1", "2", "3"])
            try await fixture.run("INSERT INTO users (id, title) VALUES (1, 'z') ON CONFLICT (id) DO NOTHING")
            try await fixture.run("UPDATE users SET title = title || '!' WHERE id < 3")
            #expect(try await Self.changes(fixture) == ["1", "2"])
            // PROGRAM, because a file's place would be another on each machine.
            try await fixture.run("COPY users (id, email) FROM PROGRAM 'printf \"7\\ta@x\\n8\\tb@x\\n\"'")
            #expect(try await Self.changes(fixture) == ["7", "8"])
        }
    }

    @Test("MERGE is captured by what it does to each row")
    func merges() async throws {
        try await Fixture.run { fixture in
            guard try await fixture.session.serverVersion() >= 150_000 else { return }
            try await fixture.run("INSERT INTO users (id, title) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
            _ = try await Self.changes(fixture)
            try await fixture.run(
                """
                MERGE INTO users u USING (VALUES (1, 'x'), (2, NULL), (3, 'c'), (4, 'd')) AS n (id, title) ON u.id = n.id
                WHEN MATCHED AND n.title IS NULL THEN DELETE
                WHEN MATCHED THEN UPDATE SET title = n.title
                WHEN NOT MATCHED THEN INSERT (id, title) VALUES (n.id, n.title)
                """)
            #expect(try await Self.changes(fixture) == ["1", "2", "4"])
        }
    }

    @Test("a value that was changed and changed back before the agent looked is no call")
    func thereAndBack() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'A')")
            let claim = try #require(try await store.claims().first)
            try await Self.accept(claim, in: store)
            try await fixture.run("UPDATE users SET title = 'B'; UPDATE users SET title = 'A'")
            let again = try #require(try await store.claims().first)
            guard case .nothing = PushPlan(for: again, rules: PushRules()) else {
                Issue.record("something would be sent")
                return
            }
            await store.close()
        }
    }

    @Test("a user deleted and inserted again, or given another key, is claimed as what is there then")
    func returns() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await fixture.run(
                """
                INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x');
                BEGIN; DELETE FROM users WHERE id = 1; INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'new'); COMMIT;
                UPDATE users SET id = 3 WHERE id = 2
                """)
            #expect(try await ProfileTests.profiles(store) == ["1: job_title=new", "2: gone", "3: "])
            await store.close()
        }
    }

    @Test("a row that moves between partitions, and rows of a partition attached later, are captured")
    func partitions() async throws {
        try await Fixture.run(table: Self.partitioned) { fixture in
            try await fixture.run(
                """
                CREATE TABLE high (LIKE users INCLUDING ALL);
                INSERT INTO high (id) VALUES (10);
                ALTER TABLE users ATTACH PARTITION high FOR VALUES FROM (10) TO (20);
                INSERT INTO users (id) VALUES (1), (11)
                """)
            #expect(try await Self.changes(fixture) == ["1", "11"], "what a partition brings along, a sweep finds")
            try await fixture.run("UPDATE users SET id = 15 WHERE id = 1")
            #expect(Set(try await Self.changes(fixture)) == ["1", "15"])
            try await fixture.run("UPDATE users SET title = 'x' WHERE id = 10; DELETE FROM high WHERE id = 11")
            #expect(try await Self.changes(fixture) == ["10", "11"])
        }
    }

    @Test("what a BEFORE trigger writes is compared, not what the statement says")
    func comparesWhatIsWritten() async throws {
        let trigger = """
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.title := lower(NEW.title); NEW.first_name := NEW.notes; RETURN NEW; END';
            CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION tidy()
            """
        try await Fixture.run(before: trigger) { fixture in
            try await fixture.run("INSERT INTO users (id, title) VALUES (1, 'X')")
            _ = try await Self.changes(fixture)
            try await fixture.run("UPDATE users SET title = 'X'")
            #expect(try await Self.changes(fixture) == [], "the trigger made it the same")
            try await fixture.run("UPDATE users SET notes = 'n'")
            #expect(try await Self.changes(fixture) == ["1"])
        }
    }

    @Test("changes of a transaction that stays open come when it commits, and keep nobody waiting")
    func staysOpen() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await whileOpen(fixture.database.dsn, "INSERT INTO public.users (id, email) VALUES (1, 'a@x')") {
                try await fixture.run("INSERT INTO users (id, email) VALUES (2, 'b@x')")
                let seen = try await store.claims().map(\.user.text)
                #expect(seen == ["2"])
            }
            #expect(try await store.claims().map(\.user.text) == ["1"])
            await store.close()
        }
    }

    @Test("under compare: row, columns may be renamed and dropped, and no write fails")
    func renamesUnderRow() async throws {
        try await Fixture.run(comparison: .row) { fixture in
            try await fixture.run("INSERT INTO users (id, title) VALUES (1, 'a')")
            _ = try await Self.changes(fixture)
            try await fixture.run(
                """
                ALTER TABLE users RENAME COLUMN title TO job; ALTER TABLE users DROP COLUMN first_name;
                ALTER TABLE users ALTER COLUMN time_zone TYPE varchar(9); UPDATE users SET job = 'b';
                """)
            #expect(try await Self.changes(fixture) == [], "nobody watches the new name")
            try await fixture.run("ALTER TABLE users ALTER COLUMN id TYPE int; UPDATE users SET email = 'x'")
            #expect(try await Self.changes(fixture) == ["1"])
            try await fixture.run(
                "ALTER TABLE users RENAME COLUMN id TO nr; UPDATE users SET email = 'y'; DELETE FROM users")
            #expect(try await Self.changes(fixture) == [nil, nil])
        }
    }

    @Test("a bulk UPDATE of 200,000 rows appends each, and knocks once")
    func isBulk() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id) SELECT i FROM generate_series(1, 200000) i")
            try await fixture.run("DELETE FROM subscriber_sync.change")
            try await fixture.run("UPDATE users SET title = 'x'")
            #expect(try await fixture.value("SELECT count(DISTINCT user_key) FROM subscriber_sync.change") == "200000")
        }
    }
}
