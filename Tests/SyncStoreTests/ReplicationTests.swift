import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Rows that logical replication applies") struct ReplicationTests {
    /// A users table that is published, and another server that subscribes to it and is synced.
    static func run(_ body: @Sendable (_ publisher: Session, _ fixture: Fixture) async throws -> Void) async throws {
        let publishing = try await PostgresServer.start(extraConfiguration: ["wal_level": "logical"])
        let server = try await PostgresServer.start()
        let database = try await publishing.createDatabase()
        let publisher = Session(ConnectionSettings(dsn: database.dsn, applicationName: "application"))
        try await publisher.executeScript(
            "SET search_path = public; \(Fixture.usersTable); CREATE PUBLICATION people FOR TABLE users", name: "table")
        try await Fixture.run(server: server) { fixture in
            let port = try #require(publishing.port)
            try await fixture.run(
                """
                CREATE SUBSCRIPTION people CONNECTION
                'host=127.0.0.1 port=\(port) user=postgres dbname=\(database.name)' PUBLICATION people
                """)
            do {
                try await body(publisher, fixture)
            } catch {
                try? await fixture.run("DROP SUBSCRIPTION people")
                throw error
            }
            try await fixture.run("DROP SUBSCRIPTION people")
        }
        await publisher.close()
        try await database.drop()
        try await server.stop()
        try await publishing.stop()
    }

    static func arrived(_ fixture: Fixture, _ title: String) async throws {
        try await eventually(within: .seconds(30), "the row has arrived") {
            try await fixture.value("SELECT title FROM users WHERE id = 1") == title
        }
    }

    @Test("are captured with capture.on_replica, and without it found by the next sweep")
    func captured() async throws {
        try await Self.run { publisher, fixture in
            try await publisher.executeScript(
                "INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'x')", name: "write")
            try await Self.arrived(fixture, "x")
            #expect(try await CaptureTests.changes(fixture).isEmpty)
            let store = try await fixture.store()
            try await store.sweepToRest()
            try await publisher.executeScript("UPDATE users SET title = 'y'", name: "write")
            try await Self.arrived(fixture, "y")
            #expect(try await CaptureTests.changes(fixture).isEmpty)
            try await store.requestSweep(because: "test")
            #expect(try await store.sweepToRest() == [.ended(.requested("test"), compared: 1, found: 1)])
            #expect(try await CaptureTests.changes(fixture) == ["1"])

            try await fixture.installCapture(firesOnReplica: true)
            try await publisher.executeScript("UPDATE users SET title = 'z'", name: "write")
            try await Self.arrived(fixture, "z")
            #expect(try await CaptureTests.changes(fixture) == ["1"])
            await store.close()
        }
    }
}
