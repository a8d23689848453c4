import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("A sweep") struct SweepTests {
    /// Writes past the triggers, as a restore, a replica role or a disabled trigger does.
    static func unseen(_ sql: String, _ fixture: Fixture) async throws {
        try await fixture.run(
            "SET session_replication_role = replica; \(sql); SET session_replication_role = origin")
    }

    static func changes(_ fixture: Fixture) async throws -> [String?] {
        try await fixture.column("SELECT user_key FROM subscriber_sync.change ORDER BY 1")
    }

    /// Settles whatever is due, so that everybody is at rest.
    static func settleAll(_ store: Store) async throws {
        while true {
            let claims = try await store.claims()
            guard !claims.isEmpty else { return }
            var settlements: [Settlement] = []
            var random = SeededRandom(seed: 1)
            for claim in claims {
                switch PushPlan(for: claim, rules: PushRules()) {
                case .push(let push):
                    _ = try await store.admit(
                        [AdmissionRequest(user: claim.user, lease: claim.lease, reference: push.reference)], limit: nil)
                    let id = try #require(SubscriberID("00000000-0000-4000-8000-000000000001"))
                    settlements.append(
                        Settlement(of: claim, push: push, answer: PushAnswer(outcome: .accepted(id)), using: &random))
                case let plan:
                    settlements.append(try #require(Settlement(of: claim, plan: plan)))
                }
            }
            _ = try await store.settle(settlements)
        }
    }

    @Test("first writes down who is there, and pushes nobody")
    func baseline() async throws {
        try await Fixture.run { fixture in
            try await Self.unseen(
                """
                INSERT INTO users (id, email, deleted_at) SELECT i, 'u' || i || '@x', CASE WHEN i > 240 THEN now() END
                FROM generate_series(1, 250) i
                """, fixture)
            let store = try await fixture.store()
            #expect(try await store.sweepToRest() == [.ended(.baseline, compared: 250, found: 0)])
            #expect(
                try await fixture.column(
                    "SELECT status || ' ' || count(*) FROM subscriber_sync.subscriber GROUP BY status ORDER BY 1")
                    == ["out_of_scope 10", "unsynced 240"])
            #expect(try await Self.changes(fixture).isEmpty)
            #expect(try await store.claims().isEmpty)
            #expect(try await store.sweepToRest().isEmpty, "and rests")
            await store.close()
        }
    }

    @Test("finds what no trigger told: a change, a new user, one who is gone, one who left the scope")
    func findsHidden() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email) SELECT i, 'u' || i || '@x' FROM generate_series(1, 9) i")
            let store = try await fixture.store()
            try await store.sweepToRest()
            try await Self.settleAll(store)
            try await Self.unseen(
                """
                UPDATE users SET title = 'x' WHERE id = 2; UPDATE users SET notes = 'n' WHERE id = 3;
                DELETE FROM users WHERE id = 4; INSERT INTO users (id, email) VALUES (77, 'new@x');
                UPDATE users SET deleted_at = now() WHERE id = 5
                """, fixture)
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 9, found: 4)])
            #expect(try await Self.changes(fixture) == ["2", "4", "5", "77"])
            try await Self.settleAll(store)
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 9, found: 0)])
            #expect(
                try await fixture.value("SELECT found_total FROM subscriber_sync.sweep WHERE kind = 'full'") == "4")
            #expect(
                try await fixture.column("SELECT error FROM subscriber_sync.log WHERE outcome = 'sweep' ORDER BY id")
                    == [
                        "baseline: 9 users compared, 0 differed", "test: 9 users compared, 4 differed",
                        "test: 9 users compared, 0 differed",
                    ])
            await store.close()
        }
    }

    @Test("takes for drift nothing that a trigger told, whether it waits, is due or is in flight")
    func countsOnlyDrift() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email) SELECT i, 'u' || i || '@x' FROM generate_series(1, 4) i")
            let store = try await fixture.store()
            try await store.sweepToRest()
            try await Self.settleAll(store)
            try await fixture.run("UPDATE users SET title = 'waits' WHERE id = 1")
            try await fixture.run("UPDATE users SET title = 'in flight' WHERE id = 2")
            #expect(try await store.claims().map(\.user.text) == ["1", "2"])
            try await fixture.run("UPDATE users SET title = 'folded' WHERE id = 3")
            #expect(try await store.fold() == 1)
            try await fixture.run("UPDATE users SET title = 'waits too' WHERE id = 4")
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 4, found: 0)])
            try await Self.unseen("UPDATE users SET title = 'hidden' WHERE id = 2", fixture)
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 4, found: 1)])
            #expect(try await Self.changes(fixture) == ["2", "4"])
            await store.close()
        }
    }

    @Test("goes on where it was when the agent that began it is gone, keeps its pace, and is shared")
    func resumes() async throws {
        try await Fixture.run { fixture in
            try await Self.unseen(
                "INSERT INTO users (id, email) SELECT i, 'u' || i || '@x' FROM generate_series(1, 25) i", fixture)
            let (first, second) = (try await fixture.store("first"), try await fixture.store("second"))
            let schedule = SweepSchedule(kind: .full, interval: nil, reason: .periodic)
            let slow = SweepSettings(rate: 10, pageSize: 10)
            #expect(try await first.sweep(schedule, slow) == .began(.baseline))
            #expect(try await first.sweep(schedule, slow) == .compared(.baseline, found: 0, pause: .seconds(1)))
            await first.close()
            guard case .waiting(let wait) = try await second.sweep(schedule, slow) else {
                Issue.record("it should wait a second after 10 rows at 10 rows a second")
                return
            }
            #expect(wait > .milliseconds(500) && wait <= .seconds(1))
            try await whileOpen(
                fixture.database.dsn, "SELECT FROM subscriber_sync.sweep WHERE kind = 'full' FOR UPDATE"
            ) {
                let turn = try await second.sweep(schedule, slow)
                #expect(turn == .taken)
            }
            try await fixture.run("UPDATE subscriber_sync.sweep SET next_page_at = now()")
            #expect(
                try await second.sweepToRest(SweepSettings(rate: 10_000_000, pageSize: 10))
                    == [.ended(.baseline, compared: 25, found: 0)])
            await second.close()
        }
    }

    @Test("reads a table in small pages, and a view, whose rows may be sorted for each, in larger ones")
    func pages() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("CREATE VIEW people AS SELECT * FROM users")
            try await Self.unseen(
                "INSERT INTO users (id, email) SELECT i, 'u' || i || '@x' FROM generate_series(1, 25) i", fixture)
            let settings = SweepSettings(rate: 10_000_000, pageSize: 10)
            for (name, pages) in [("users", 3), ("people", 1)] {
                let mapping = SourceMapping.users.polled(table: QualifiedName(schema: "public", name: name))
                let session = Session(ConnectionSettings(dsn: fixture.database.dsn, applicationName: name))
                let store = try await Store.open(session, mapping: mapping, lease: .seconds(60), agent: "agent")
                let schedule = SweepSchedule(kind: .full, interval: nil, reason: .periodic)
                try await store.requestSweep(because: "test")
                var compared = 0
                while try await fixture.value("SELECT leg FROM subscriber_sync.sweep WHERE kind = 'full'") != "known" {
                    if case .compared = try await store.sweep(schedule, settings) { compared += 1 }
                }
                #expect(compared == pages, "\(name)")
                try await store.sweepToRest(settings)
                await store.close()
            }
        }
    }

    @Test("doesn't wait for the disk, so that nobody waits there behind it")
    func commitsAtLeisure() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                DO $$ BEGIN
                    EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database());
                END $$;
                CREATE TABLE seen (setting text);
                CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO public.seen VALUES (current_setting('synchronous_commit'));
                    RETURN NULL;
                END $$;
                CREATE TRIGGER see AFTER UPDATE ON subscriber_sync.sweep EXECUTE FUNCTION see()
                """)
            let store = try await fixture.store()
            #expect(try await store.sweepToRest().count == 1)
            try await withSession(fixture.database.dsn) { session in
                try await session.executeScript("UPDATE subscriber_sync.sweep SET reason = reason", name: "test")
            }
            #expect(try await fixture.column("SELECT DISTINCT setting FROM seen ORDER BY 1") == ["off", "on"])
            await store.close()
        }
    }

    @Test("under another mapping writes down what rows look like, and from then on a difference is a change")
    func changedMapping() async throws {
        try await Fixture.run { fixture in
            try await Self.unseen("INSERT INTO users (id, email, notes) VALUES (1, 'old@x', 'Dr')", fixture)
            var store = try await fixture.store()
            try await store.sweepToRest()
            try await fixture.run("INSERT INTO users (id, email, notes) VALUES (2, 'known@x', 'Dr')")
            try await Self.settleAll(store)
            await store.close()
            let old = fixture.mapping
            let mapping = SourceMapping(
                table: old.table, key: old.key, reference: old.reference, scope: nil, fields: [.displayName: "notes"])
            let changed = Fixture(database: fixture.database, session: fixture.session, mapping: mapping)
            store = try await changed.store()
            try await store.requestSweep(because: "mapping_changed")
            #expect(try await store.sweepToRest() == [.ended(.mapping, compared: 2, found: 0)])
            #expect(try await Self.changes(fixture) == [])
            try await Self.unseen("UPDATE users SET notes = 'Prof'", fixture)
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 2, found: 2)])
            #expect(try await Self.changes(fixture) == ["1", "2"])
            await store.close()
        }
    }

    @Test("under another mapping looks at who waits for it and who leaves its scope, not at what a brake holds")
    func waitsForMapping() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email, notes) SELECT i, 'u' || i || '@x', i FROM generate_series(1, 8) i")
            var store = try await fixture.store()
            try await store.sweepToRest()
            try await Self.settleAll(store)
            for (key, standing, code) in [
                (1, "rejected", "invalid_parameter"), (2, "held", "missing_profile"), (3, "held", "mass_change"),
                (4, "held", "mass_change_rejected"), (5, "held", "new_subscriber_limit"),
                (6, "held", "new_subscriber_limit_rejected"),
            ] {
                try await fixture.run(
                    """
                    UPDATE subscriber_sync.subscriber SET standing = '\(standing)', last_error_code = '\(code)'
                    WHERE user_key = '\(key)'
                    """)
            }
            await store.close()
            let old = fixture.mapping
            let mapping = SourceMapping(
                table: old.table, key: old.key, reference: old.reference, scope: "notes <> '8'", fields: old.fields)
            store = try await Fixture(database: fixture.database, session: fixture.session, mapping: mapping).store()
            try await store.requestSweep(because: "mapping_changed")
            #expect(try await store.sweepToRest() == [.ended(.mapping, compared: 8, found: 3)])
            #expect(try await Self.changes(fixture) == ["1", "2", "8"])
            await store.close()
        }
    }

    @Test("waits for a backlog instead of adding to it")
    func waitsForBacklog() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO subscriber_sync.change (user_key) SELECT i::text FROM generate_series(1, 10001) i")
            let store = try await fixture.store()
            let schedule = SweepSchedule(kind: .full, interval: nil, reason: .periodic)
            #expect(try await store.sweep(schedule, SweepSettings(rate: 1000)) == .began(.baseline))
            #expect(try await store.sweep(schedule, SweepSettings(rate: 1000)) == .waiting(.seconds(1)))
            await store.close()
        }
    }

    @Test("works for every type of key", arguments: ["uuid", "text", "integer", "bigint", "varchar(40)"])
    func keyTypes(type: String) async throws {
        let table = """
            CREATE TABLE public.users (id \(type) PRIMARY KEY, email text, first_name text, title text, time_zone text,
                notes text, deleted_at timestamptz)
            """
        let isText = type.hasPrefix("text") || type.hasPrefix("varchar")
        let key = type == "uuid" ? "md5(i::text)::uuid" : isText ? "'Key ' || i" : "i"
        try await Fixture.run(table: table) { fixture in
            try await Self.unseen(
                "INSERT INTO users (id, email) SELECT \(key), 'u' || i || '@x' FROM generate_series(1, 230) i", fixture)
            let store = try await fixture.store()
            #expect(try await store.sweepToRest() == [.ended(.baseline, compared: 230, found: 0)])
            try await Self.unseen("UPDATE users SET title = 'x' WHERE email = 'u7@x'", fixture)
            try await Self.unseen("DELETE FROM users WHERE email = 'u8@x'", fixture)
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 229, found: 2)])
            await store.close()
        }
    }
}

@Suite("A recent sweep") struct RecentSweepTests {
    static let table = """
        CREATE TABLE public.users (
            id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, email text, first_name text, title text,
            time_zone text, notes text, deleted_at timestamptz, updated_at timestamptz NOT NULL DEFAULT now());
        CREATE INDEX ON public.users (updated_at)
        """

    static func run(
        server: PostgresServer? = nil, _ body: @Sendable (Fixture, Store) async throws -> Void
    ) async throws {
        try await Fixture.run(
            table: table, mapping: SourceMapping.users.polled(updatedAt: "updated_at"), server: server
        ) { fixture in
            try await fixture.run("INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 250) i")
            let store = try await fixture.store()
            try await store.sweepToRest()
            try await body(fixture, store)
            await store.close()
        }
    }

    static func recent(_ store: Store) async throws -> [SweepTurn] {
        try await store.sweepToRest(kind: .recent, interval: .zero, reason: .poll)
    }

    @Test("compares those whose updated_at is young, and no others, in pages")
    func comparesYoung() async throws {
        try await Self.run { fixture, store in
            _ = try await Self.recent(store)
            try await fixture.run(
                """
                UPDATE users SET updated_at = now() - interval '1 hour';
                UPDATE users SET title = 'x', updated_at = clock_timestamp() WHERE id <= 230;
                UPDATE users SET title = 'never said' WHERE id = 240
                """)
            guard case .ended(.poll, let compared, let found) = try await Self.recent(store).first else {
                Issue.record("it should end")
                return
            }
            #expect(compared == 230 && found == 230)
            try await SweepTests.settleAll(store)
            try await fixture.run("UPDATE subscriber_sync.sweep SET until = now() WHERE kind = 'recent'")
            #expect(try await Self.recent(store) == [.ended(.poll, compared: 0, found: 0)])
            let full = try await store.sweepToRest(interval: .milliseconds(1), reason: .poll, turns: 1)
            #expect(full == [.ended(.poll, compared: 250, found: 1)], "the full one finds who didn't say")
        }
    }

    @Test("covers a transaction that was open while it looked, by that one's own age")
    func coversOpen() async throws {
        try await Self.run { fixture, store in
            let late = "SET search_path = public; UPDATE users SET title = 'late', updated_at = now() WHERE id = 7"
            try await whileOpen(fixture.database.dsn, late) {
                _ = try await Self.recent(store)
                _ = try await Self.recent(store)
            }
            _ = try await Self.recent(store)
            #expect(try await SweepTests.changes(fixture) == ["7"])
        }
    }

    @Test("keeps its beginning while a transaction is prepared")
    func coversPrepared() async throws {
        let server = try await PostgresServer.start(extraConfiguration: ["max_prepared_transactions": "5"])
        try await Self.run(server: server) { fixture, store in
            try await fixture.run(
                """
                BEGIN; UPDATE users SET title = 'late', updated_at = now() - interval '2 s' WHERE id = 7;
                PREPARE TRANSACTION 'late'
                """)
            let before = try await fixture.value("SELECT until FROM subscriber_sync.sweep WHERE kind = 'recent'")
            _ = try await Self.recent(store)
            _ = try await Self.recent(store)
            #expect(
                try await fixture.value("SELECT until FROM subscriber_sync.sweep WHERE kind = 'recent'") == before)
            try await fixture.run("COMMIT PREPARED 'late'")
            _ = try await Self.recent(store)
            #expect(
                try await fixture.value(
                    "SELECT until > '\(before ?? "")' FROM subscriber_sync.sweep WHERE kind = 'recent'")
                    == "t")
        }
        try await server.stop()
    }
}
