import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Behind PgBouncer in transaction mode", .inFrontOfOwnServer, .timeLimit(.minutes(3))) struct PoolerTests {
    /// A bench whose agents reach the database through a pooler only.
    private func withPooledBench(_ body: @Sendable (Bench) async throws -> Void) async throws {
        try await Bench.run { bench in
            try await withPgBouncer(inFrontOf: .shared(), poolSize: 2) { pooler in
                var bench = bench
                bench.dsn = pooler.dsn(of: bench.fixture.database)
                try await body(bench)
            }
        }
    }

    private func wakeUp(_ bench: Bench) async throws -> String? {
        try await bench.fixture.value("SELECT wake_up || ': ' || wake_up_reason FROM subscriber_sync.agent")
    }

    @Test("an agent brings a changed user, polls, and says within seconds why")
    func polls() async throws {
        try await withPooledBench { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'ada@x', 'Eng')")
            try await bench.withAgent(change: { $0.dispatcher.pollInterval = .milliseconds(200) }) { _ in
                try await bench.sees("ada@x", "job_title", "Eng")
                try await bench.fixture.run("UPDATE users SET title = 'Countess' WHERE id = 1")
                try await bench.sees("ada@x", "job_title", "Countess")
                try await eventually(within: .seconds(6), "the fleet's table says polling, and why") {
                    let says = try await wakeUp(bench)
                    return says?.hasPrefix("polling: the listening connection goes through a pooler") == true
                        && says?.contains("DATABASE_LISTEN_URL") == true
                }
                #expect(
                    try await bench.fixture.value("SELECT polling_reason FROM subscriber_sync.status")?.contains(
                        "goes through a pooler") == true)
            }
            try await bench.agrees()
        }
    }

    @Test("an agent with a direct connection to listen on is woken, though its work goes through the pooler")
    func listensDirectly() async throws {
        try await withPooledBench { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'ada@x', 'Eng')")
            let direct = bench.fixture.database.settings
            try await bench.withAgent(change: { settings in
                settings.listening = direct
                // Long enough that nothing arrives by looking.
                settings.dispatcher.pollInterval = .seconds(60)
            }) { _ in
                try await bench.sees("ada@x", "job_title", "Eng")
                try await eventually(within: .seconds(10), "it hears its own knock through the pooler") {
                    try await wakeUp(bench)?.hasPrefix("notify") == true
                }
                try await bench.fixture.run("UPDATE users SET title = 'Countess' WHERE id = 1")
                try await bench.sees("ada@x", "job_title", "Countess")
            }
            try await bench.agrees()
        }
    }

    @Test("three agents on a pool of two bring 500 users, each once")
    func shares() async throws {
        try await withPooledBench { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email, first_name) SELECT 'u' || i || '@x', 'F' || i FROM generate_series(1, 500) i"
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<3 {
                    group.addTask {
                        let end = try await bench.runUntilIdle("agent-\(number)")
                        #expect(end == .idle)
                    }
                }
                try await group.waitForAll()
            }
            try await eventually(within: .seconds(20), "the last agent has settled") {
                try await bench.fixture.value(
                    "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'") == "500"
            }
            #expect(bench.sandbox.statistics().requests == 500)
            try await bench.agrees()
        }
    }

    @Test("migrating works, also by several at once: the schema, the triggers, and taking both out again")
    func migrates() async throws {
        try await withDatabase { database in
            try await withPgBouncer(inFrontOf: .shared(), poolSize: 2) { pooler in
                let settings = pooler.settings(for: database)
                let session = Session(settings)
                try await session.executeScript(Fixture.usersTable, name: "table")
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            let own = Session(settings)
                            let applied = try await Migrator(session: own).migrate().count
                            await own.close()
                            return applied
                        }
                    }
                    let applied = try await group.reduce(0, +)
                    #expect(applied == Migrator(session: session).newest)
                }
                let source = try await SourceTable.find(.users, in: session)
                let installer = CaptureInstaller(session: session)
                let work = try await installer.plan(for: source, comparison: .columns, notification: .guarded)
                #expect(
                    work.script.contains("\"deleted_at\""), "the columns of the scope are found by a temporary view")
                try await installer.apply(work)
                let again = try await installer.plan(for: source, comparison: .columns, notification: .guarded)
                #expect(again.statements.isEmpty)
                let uninstaller = Uninstaller(session: session)
                try await uninstaller.apply(try await uninstaller.plan())
                #expect(try await uninstaller.plan().isEmpty)
                await session.close()
            }
        }
    }
}
