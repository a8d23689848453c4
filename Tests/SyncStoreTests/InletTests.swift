import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("A message that names changed users") struct InletTests {
    private static func keys(_ texts: String...) -> [UserKey] { texts.map(UserKey.init) }

    private static func changes(_ fixture: Fixture) async throws -> [String?] {
        try await fixture.column("SELECT user_key FROM subscriber_sync.change ORDER BY 1")
    }

    @Test("marks those who exist, under the key that the database prints, and each once")
    func marks() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await fixture.run(
                """
                INSERT INTO users (id, email) VALUES (7, 'a@x'), (8, 'b@x');
                DELETE FROM subscriber_sync.change;
                INSERT INTO subscriber_sync.subscriber (user_key) VALUES ('9')
                """)
            let receipt = try await store.mark(Self.keys("007", "7", "+8", "9", "1000"), message: "m1")
            #expect(receipt == .marked(3))
            #expect(try await Self.changes(fixture) == ["7", "8", "9"])
            await store.close()
        }
    }

    @Test("is taken once, whichever agents it comes to, also all at the same time")
    func replays() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (7, 'a@x'); DELETE FROM subscriber_sync.change")
            let stores = [try await fixture.store("a"), try await fixture.store("b"), try await fixture.store("c")]
            let receipts = try await withThrowingTaskGroup(of: MessageReceipt.self) { group in
                for round in 0..<30 {
                    let store = stores[round % 3]
                    group.addTask { try await store.mark(Self.keys("7"), message: "m\(round / 6)") }
                }
                return try await group.reduce(into: [MessageReceipt]()) { $0.append($1) }
            }
            #expect(receipts.count { $0 == .marked(1) } == 5 && receipts.count { $0 == .replayed } == 25)
            #expect(try await Self.changes(fixture).count == 5)
            for store in stores { await store.close() }
        }
    }

    @Test("with a key of another type changes nothing, and may be sent again once it is mended")
    func invalid() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (7, 'a@x'); DELETE FROM subscriber_sync.change")
            let store = try await fixture.store()
            for key in ["seven", "7; DROP TABLE users", "99999999999999999999", "7.5"] {
                #expect(try await store.mark(Self.keys("7", key), message: "m") == .invalidKey, "\(key)")
            }
            #expect(try await Self.changes(fixture) == [])
            #expect(try await store.mark(Self.keys("7"), message: "m") == .marked(1))
            await store.close()
        }
    }

    @Test("means the row that citext calls equal")
    func citext() async throws {
        let table =
            "CREATE EXTENSION citext; CREATE TABLE users (id citext PRIMARY KEY, email text, first_name text, "
            + "title text, time_zone text, deleted_at timestamptz)"
        try await Fixture.run(table: table) { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email) VALUES ('Ada', 'a@x'); DELETE FROM subscriber_sync.change")
            let store = try await fixture.store()
            #expect(try await store.mark(Self.keys("ADA", "ada", "Ada"), message: "m") == .marked(1))
            #expect(try await Self.changes(fixture) == ["Ada"])
            await store.close()
        }
    }

    @Test("wakes the agents, as a trigger would")
    func knocks() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (7, 'a@x')")
            let listener = Listener(
                ConnectionSettings(dsn: fixture.database.dsn, applicationName: "ear"), channels: ["subscriber_sync"])
            let store = try await fixture.store()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await listener.run() }
                for await event in listener.events {
                    if case .listening = event { _ = try await store.mark(Self.keys("7"), message: "m") }
                    if case .notified = event { break }
                }
                group.cancelAll()
            }
            await store.close()
        }
    }

    @Test("is forgotten after an hour, and not before")
    func pruned() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            for message in ["old", "young"] { _ = try await store.mark([], message: message) }
            try await fixture.run(
                "UPDATE subscriber_sync.webhook_message SET received_at = now() - interval '61 min' WHERE id = 'old'")
            #expect(try await store.pruneMessages() == 1)
            #expect(try await fixture.column("SELECT id FROM subscriber_sync.webhook_message") == ["young"])
            await store.close()
        }
    }
}
