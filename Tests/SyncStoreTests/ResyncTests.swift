import Migrations
import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("A resync") struct ResyncTests {
    @Test("marks users that were never seen, and no one who isn't there")
    func marks() async throws {
        try await Fixture.run(before: "INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x')") { fixture in
            let store = try await fixture.store()
            #expect(try await store.resync([UserKey("1"), UserKey("3")], isForced: false) == [UserKey("1")])
            #expect(try await store.row(of: UserKey("1"))?.status == "pending")
            #expect(try await store.row(of: UserKey("2")) == nil)
            #expect(try await store.claims().map(\.user.text) == ["1"])
            await store.close()
        }
    }

    @Test("by force makes a push of what SignalWire was told already")
    func forces() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await SettleTests.claimed(fixture, store)
            _ = try await store.settle([try SettleTests.settlement(claim, .accepted(try #require(SettleTests.id)))])
            _ = try await store.resync([claim.user], isForced: false)
            let plain = try #require(try await store.claims().first)
            guard case .nothing = PushPlan(for: plain, rules: PushRules()) else {
                Issue.record("nothing changed")
                return
            }
            _ = try await store.settle([try #require(Settlement(of: plain, plan: .nothing))])
            _ = try await store.resync([claim.user], isForced: true)
            let forced = try #require(try await store.claims().first)
            _ = try await store.settle([try SettleTests.settlement(forced, .accepted(try #require(SettleTests.id)))])
            #expect(try await store.row(of: claim.user)?.status == "synced", "one push answers the force")
            await store.close()
        }
    }

    @Test("goes behind live changes")
    func yields() async throws {
        try await Fixture.run(before: "INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x')") { fixture in
            let store = try await fixture.store()
            _ = try await store.resync([UserKey("1"), UserKey("2")], isForced: false)
            try await fixture.run("UPDATE users SET title = 'x' WHERE id = 2")
            #expect(try await store.claim(limit: 1).claims.map(\.user.text) == ["2"])
            await store.close()
        }
    }

    @Test("pages through the source in the order of its key")
    func pages() async throws {
        let rows = "INSERT INTO users (id, email) SELECT i, 'u' || i || '@x' FROM generate_series(1, 25) i"
        try await Fixture.run(before: rows) { fixture in
            let store = try await fixture.store()
            var keys: [String] = []
            var last: UserKey?
            while let page = Optional(try await store.page(after: last, limit: 10, filter: nil)), !page.isEmpty {
                keys += page.map(\.user.text)
                last = page.last?.user
            }
            #expect(keys == (1...25).map(String.init))
            #expect(try await store.page(after: nil, limit: 100, filter: "id % 5 = 0").count == 5)
            #expect(try await store.look(at: UserKey("7"))?.standing == .unsynced)
            #expect(try await store.look(at: UserKey("77")) == nil)
            #expect(try await store.look(at: UserKey("not a number")) == nil)
            await store.close()
        }
    }

    @Test("counts who waits and who was refused since it began")
    func counts() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await SettleTests.claimed(fixture, store)
            let start = try await store.clock()
            _ = try await store.settle([
                try SettleTests.settlement(claim, .rejected(Problem(code: "invalid_parameter", message: "no")))
            ])
            #expect(try await store.progress(of: [claim.user], since: start) == ResyncProgress(waiting: 0, refused: 0))
            #expect(try await store.failed(after: nil, limit: 10) == [claim.user])
            _ = try await store.resync([claim.user], isForced: false)
            #expect(try await store.progress(of: nil, since: start) == ResyncProgress(waiting: 1, refused: 0))
            let again = try #require(try await store.claims().first)
            _ = try await store.settle([
                try SettleTests.settlement(again, .rejected(Problem(code: "invalid_parameter", message: "no")))
            ])
            #expect(try await store.progress(of: nil, since: start) == ResyncProgress(waiting: 0, refused: 1))
            await store.close()
        }
    }

    @Test("and the fleet show in status")
    func showsFleet() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let agent = AgentIdentity(id: "a-1", host: "h", pid: 1, version: "test")
            #expect(try await store.heartbeat(agent, wakeUp: .notify, canary: "canary:a-1:1") == 1)
            let other = AgentIdentity(id: "b-1", host: "h", pid: 2, version: "test")
            #expect(try await store.heartbeat(other, wakeUp: .polling("deaf"), canary: "canary:b-1:1") == 2)
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x')")
            let status = try await FleetStatus.read(in: fixture.session)
            #expect(status.agents == 2 && status.agentsListening == 1 && status.pollingReason == "deaf")
            #expect(status.changeBacklog == 1 && status.schemaVersion == Migration.all.count)
            try await store.leave(other, farewell: "left:other")
            #expect(try await FleetStatus.read(in: fixture.session).agents == 1)
            try await fixture.run(
                "INSERT INTO subscriber_sync.log (at, outcome) VALUES (now() - interval '40 days', 'x')")
            try await fixture.run("INSERT INTO subscriber_sync.log (outcome) SELECT 'y' FROM generate_series(1, 9)")
            #expect(try await store.prune(logOlderThan: nil, keeping: nil) == 0)
            #expect(try await store.prune(logOlderThan: .seconds(30 * 86400), keeping: nil) == 1)
            #expect(try await store.prune(logOlderThan: nil, keeping: 4) == 5)
            #expect(try await store.prune(logOlderThan: nil, keeping: 4) == 0)
            await store.close()
        }
    }
}
