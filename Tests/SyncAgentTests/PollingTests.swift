import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("An agent that polls") struct PollingTests {
    static func poll(_ settings: inout AgentSettings) {
        settings.sweeping = .init(
            mode: .poll, interval: .seconds(3600), pages: SweepSettings(rate: 1_000_000, pageSize: 50))
        settings.dispatcher.pollInterval = .milliseconds(200)
        settings.silence = "capture.mode is poll"
    }

    @Test("pushes nobody who was there before, and brings whoever changes, comes or goes")
    func bringsChanges() async throws {
        try await Bench.run(mapping: SourceMapping.users.polled()) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (id, email, title) SELECT i, 'u' || i || '@x', 'T' FROM generate_series(1, 120) i")
            #expect(
                try await bench.fixture.value(
                    "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT tgisinternal") == "0")
            try await bench.withAgent(change: Self.poll) { _ in
                try await eventually("everybody is written down") {
                    try await bench.fixture.value("SELECT baseline_at FROM subscriber_sync.sweep WHERE kind = 'full'")
                        != nil
                }
                try await bench.fixture.run(
                    """
                    UPDATE users SET title = 'Dr' WHERE id = 7; INSERT INTO users (id, email) VALUES (500, 'new@x');
                    DELETE FROM users WHERE id = 8
                    """)
                try await bench.sees("u7@x", "job_title", "Dr")
                try await eventually("the new one is synced and the other known as gone") {
                    let (new, gone) = (try await bench.status("500"), try await bench.status("8"))
                    return new == "synced" && gone == "deleted"
                }
            }
            #expect(bench.sandbox.statistics().created == 2)
        }
    }

    @Test("on a view, and with --until-idle, finds what changed since the last run")
    func untilIdle() async throws {
        let view = "; CREATE VIEW public.people AS SELECT *, upper(title) AS loud FROM public.users"
        let mapping = SourceMapping(
            table: QualifiedName(schema: "public", name: "people"), key: "id", reference: "email", scope: nil,
            fields: [.jobTitle: "loud"], capture: .polling)
        try await Bench.run(before: view, mapping: mapping) { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x'), (2, 'b@x', 'y')")
            #expect(try await bench.runUntilIdle(change: Self.poll) == .idle)
            #expect(bench.sandbox.statistics().requests == 0)
            try await bench.fixture.run("UPDATE users SET title = 'dr' WHERE id = 2")
            #expect(try await bench.runUntilIdle(change: Self.poll) == .idle)
            #expect(bench.sandbox.subscriber(reference: "b@x")?.profile["job_title"] == "DR")
            #expect(bench.sandbox.statistics().requests == 1)
        }
    }
}

@Suite("An agent whose source changes") struct SourceChangeTests {
    static func pause(_ bench: Bench) async throws -> String? {
        try await bench.fixture.value("SELECT pause_reason FROM subscriber_sync.control WHERE pause_kind = 'source'")
    }

    @Test("pauses when a mapped column goes, folds what comes, and goes on by itself when it is back")
    func columnRenamed() async throws {
        try await Bench.run(comparison: .row) { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            try await bench.withAgent(change: { $0.dispatcher.pollInterval = .milliseconds(200) }) { _ in
                try await bench.sees("a@x", "job_title", "x")
                try await bench.fixture.run("ALTER TABLE users RENAME COLUMN title TO job")
                try await bench.fixture.run("UPDATE users SET email = 'b@x', job = 'y'")
                try await eventually("it pauses") { try await Self.pause(bench) != nil }
                let reason = try #require(try await Self.pause(bench))
                #expect(reason.hasPrefix("source_changed: public.users has no column title. "))
                try await eventually("changes are folded all the same") {
                    try await bench.fixture.value("SELECT count(*) FROM subscriber_sync.change") == "0"
                }
                #expect(bench.sandbox.statistics().requests == 1)
                try await bench.fixture.run("ALTER TABLE users RENAME COLUMN job TO title")
                try await bench.fixture.run("UPDATE users SET email = 'a@x'")
                try await bench.sees("a@x", "job_title", "y")
                #expect(try await Self.pause(bench) == nil)
            }
            #expect(
                try await bench.fixture.column(
                    "SELECT outcome FROM subscriber_sync.log WHERE outcome IN ('paused', 'resumed') ORDER BY id")
                    == ["paused", "resumed"])
        }
    }

    @Test("pauses when the condition fails for one row, says which sentence, and goes on when the row is mended")
    func conditionFails() async throws {
        let mapping = SourceMapping(
            table: SourceMapping.users.table, key: "id", reference: "email", scope: "1/(id-5) > -9",
            fields: SourceMapping.users.fields)
        try await Bench.run(mapping: mapping) { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            let quick: @Sendable (inout AgentSettings) -> Void = { $0.dispatcher.pollInterval = .milliseconds(100) }
            try await bench.withAgent(change: quick) { _ in
                try await bench.sees("a@x", "job_title", "x")
                try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (5, 'b@x', 'x')")
                try await eventually("it pauses") { try await Self.pause(bench) != nil }
                let reason = try #require(try await Self.pause(bench))
                #expect(reason.hasPrefix("source_changed: Users of public.users can't be read: "))
                #expect(reason.contains("division by zero") && reason.contains("Look at source.where"))
                try await bench.fixture.run("UPDATE users SET title = 'y' WHERE id = 1")
                try await eventually("changes are folded all the same") {
                    try await bench.fixture.value("SELECT count(*) FROM subscriber_sync.change") == "0"
                }
                #expect(bench.sandbox.subscriber(reference: "a@x")?.profile["job_title"] == "x")
                try await bench.fixture.run("UPDATE users SET id = 6 WHERE id = 5")
                try await bench.sees("b@x", "job_title", "x")
                try await bench.sees("a@x", "job_title", "y")
            }
            #expect(
                try await bench.fixture.column(
                    "SELECT outcome FROM subscriber_sync.log WHERE outcome IN ('paused', 'resumed') ORDER BY id")
                    == ["paused", "resumed"])
        }
    }

    @Test("that is to end when idle ends as paused, or as one that could not compare everybody")
    func untilIdle() async throws {
        let mapping = SourceMapping(
            table: SourceMapping.users.table, key: "id", reference: "email", scope: "1/(id-5) > -9",
            fields: SourceMapping.users.fields)
        try await Bench.run(before: "INSERT INTO users (id, email) VALUES (5, 'b@x')", mapping: mapping) { bench in
            #expect(try await bench.runUntilIdle() == .uncompared, "nobody is due")
            try await bench.fixture.run("UPDATE users SET title = 'y'")
            #expect(try await bench.runUntilIdle() == .paused)
            #expect(try await bench.runUntilIdle() == .paused)
            #expect(try await Self.pause(bench) != nil)
            try await bench.fixture.run("DELETE FROM users")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(try await Self.pause(bench) == nil)
            #expect(try await bench.status("5") == "deleted")
        }
        try await Bench.run(comparison: .row) { bench in
            let agent = try await bench.agent("agent") { $0.dispatcher.isUntilIdle = true }
            try await bench.fixture.run("INSERT INTO users (email) VALUES ('a@x')")
            try await bench.fixture.run("ALTER TABLE users RENAME COLUMN title TO job")
            try await agent.run()
            #expect(agent.outcome == .paused)
        }
    }

    @Test("follows a key whose type changes")
    func keyTypeChanged() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            try await bench.withAgent { _ in
                try await bench.sees("a@x", "job_title", "x")
                try await eventually("it is settled") { try await bench.status("1") == "synced" }
                let names = try await bench.fixture.column(
                    "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'subscriber_sync%' AND NOT tgisinternal")
                for name in names.compactMap(\.self) {
                    try await bench.fixture.run("DROP TRIGGER \(name) ON users")
                }
                try await bench.fixture.run("ALTER TABLE users ALTER id DROP IDENTITY")
                try await bench.fixture.run("ALTER TABLE users ALTER id TYPE text")
                try await bench.fixture.installCapture()
                try await bench.fixture.run("UPDATE users SET title = 'y'")
                try await bench.sees("a@x", "job_title", "y")
                try await eventually("it is settled") { try await bench.status("1") == "synced" }
            }
            #expect(bench.sandbox.statistics().created == 1)
        }
    }

    @Test("pauses where row-level security would hide rows, instead of taking users for deleted")
    func rowSecurity() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            try await bench.fixture.run(
                """
                CREATE ROLE limited LOGIN; GRANT USAGE ON SCHEMA subscriber_sync, public TO limited;
                GRANT ALL ON ALL TABLES IN SCHEMA subscriber_sync, public TO limited;
                GRANT ALL ON ALL SEQUENCES IN SCHEMA subscriber_sync TO limited;
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriber_sync TO limited
                """)
            let settings: @Sendable (inout AgentSettings) -> Void = { $0.dispatcher.pollInterval = .milliseconds(200) }
            try await bench.withAgent(user: "limited", change: settings) { _ in
                try await bench.sees("a@x", "job_title", "x")
                try await bench.fixture.run("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
                try await bench.fixture.run("UPDATE users SET title = 'y'")
                try await eventually("it pauses") {
                    try await Self.pause(bench)?.contains("Row-level security would hide rows") == true
                }
                try await bench.fixture.run("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
                try await bench.sees("a@x", "job_title", "y")
            }
            #expect(try await bench.status("1") == "synced")
            try await bench.fixture.run("DROP OWNED BY limited; DROP ROLE limited")
        }
    }
}
