import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("An agent from which something is hidden") struct HiddenChangeTests {
    @Test("compares everybody while a trigger is off, says so, and once more when it is on again")
    func triggerOff() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x'), (2, 'b@x', 'x')")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run("ALTER TABLE users DISABLE TRIGGER subscriber_sync_update")
            try await bench.withAgent(change: { $0.dispatcher.pollInterval = .milliseconds(300) }) { _ in
                try await bench.fixture.run("UPDATE users SET title = 'unseen' WHERE id = 1")
                try await bench.sees("a@x", "job_title", "unseen")
                try await eventually("the fleet's table says why") {
                    try await bench.fixture.value("SELECT capture_trouble FROM subscriber_sync.agent")?
                        .hasPrefix("The trigger subscriber_sync_update on public.users is switched off") == true
                }
                let status = try await FleetStatus.read(in: bench.fixture.session)
                #expect(status.captureTrouble != nil && status.pollingReason == status.captureTrouble)
                try await bench.fixture.run("SELECT subscriber_sync.watch()")
                try await eventually(within: .seconds(30), "it is well again") {
                    try await bench.fixture.value(
                        """
                        SELECT count(*) FROM subscriber_sync.agent a, subscriber_sync.log l
                        WHERE a.capture_trouble IS NULL AND l.error LIKE 'capture_restored:%'
                        """) == "1"
                }
            }
            try await bench.agrees()
        }
    }

    @Test("finds after TRUNCATE that everybody is gone")
    func truncated() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 9) i")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run("TRUNCATE users")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(
                try await bench.fixture.value(
                    "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'deleted'")
                    == "9")
        }
    }

    /// How a database is copied.
    enum Copying: String, CaseIterable, Sendable {
        case template, dump

        func copy(_ database: TestDatabase, on server: PostgresServer) async throws -> TestDatabase {
            switch self {
            case .template: try await server.createDatabase(template: database.name)
            case .dump: try await server.restoreDump(of: database)
            }
        }
    }

    @Test(
        "pauses on a copy of the database that was synced, until an operator says it is the one",
        arguments: Copying.allCases)
    func copied(by copying: Copying) async throws {
        let server = try await PostgresServer.start()
        try await Bench.run(server: server) { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            #expect(try await bench.runUntilIdle() == .idle)
            await bench.fixture.session.close()
            let copy = try await copying.copy(bench.fixture.database, on: server)
            let session = Session(ConnectionSettings(dsn: copy.dsn, applicationName: "application"))
            let fixture = Fixture(database: copy, session: session, mapping: .users)
            let staging = Bench(fixture: fixture, sandbox: bench.sandbox)
            try await fixture.run("SET search_path = public; UPDATE users SET title = 'staging'")
            #expect(try await staging.runUntilIdle() == .paused)
            #expect(bench.sandbox.statistics().requests == 1)
            #expect(
                try await fixture.value("SELECT pause_reason FROM subscriber_sync.control")?
                    .hasPrefix("database_copied: ") == true)
            try await FleetControl(session: session, operatorName: "me").resume()
            #expect(try await staging.runUntilIdle() == .idle)
            #expect(bench.sandbox.subscriber(reference: "a@x")?.profile["job_title"] == "staging")
            await session.close()
            try await copy.drop()
        }
        try await server.stop()
    }

    @Test("compares everybody on another timeline of the same database")
    func restored() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run(
                """
                UPDATE subscriber_sync.control SET database_timeline = '77';
                SET session_replication_role = replica; UPDATE users SET title = 'restored';
                SET session_replication_role = origin
                """)
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.agrees()
            #expect(
                try await bench.fixture.value("SELECT error FROM subscriber_sync.log WHERE error LIKE 'restored%'")
                    == "restored: 1 user compared, 1 differed")
        }
    }
}
