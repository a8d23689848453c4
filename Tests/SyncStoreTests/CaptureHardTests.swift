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
}
