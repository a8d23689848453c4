import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Forgetting a user") struct ForgetTests {
    static let user = UserKey("1")

    /// Every row of ours that has something in it, but for the log's note that somebody was forgotten.
    static func remains(_ fixture: Fixture) async throws -> [String] {
        var rows: [String?] = []
        for table in ["subscriber", "log", "pair", "change"] {
            rows += try await fixture.column("SELECT '\(table) ' || t::text FROM subscriber_sync.\(table) t")
        }
        return rows.compactMap { $0 }.filter { !$0.contains("forgotten") }
    }

    @Test("waits for a call in flight, no longer than its lease, and never for one that is folding a change")
    func waits() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            _ = try await SettleTests.claimed(fixture, store)
            #expect(try await store.forget(Self.user) == .inScope)
            try await fixture.run("DELETE FROM users")
            guard case .inFlight(let rest) = try await store.forget(Self.user) else {
                Issue.record("an agent has the user in hand")
                return
            }
            #expect(rest > .seconds(50) && rest <= .seconds(60))
            try await fixture.run("UPDATE subscriber_sync.subscriber SET due_at = now()")
            let folding = "SELECT FROM subscriber_sync.change FOR UPDATE"
            try await whileOpen(fixture.database.dsn, folding) {
                let outcome = try await store.forget(Self.user)
                #expect(outcome == .forgotten(logRows: 0, hadSubscriber: false))
            }
            #expect(try await store.forget(Self.user) == .forgotten(logRows: 0, hadSubscriber: false), "the change")
            #expect(try await store.forget(Self.user) == .unknown)
            #expect(try await store.forget(UserKey("no number")) == .unknown)
            #expect(try await Self.remains(fixture) == [])
            await store.close()
        }
    }

    @Test("isn't undone by a call that comes back late, and whoever has the subscriber by then is due")
    func lateCall() async throws {
        try await Fixture.run { fixture in
            let slow = try await fixture.store("slow", lease: .milliseconds(1))
            let late = try await SettleTests.claimed(fixture, slow)
            let store = try await fixture.store()
            let id = try #require(SettleTests.id)
            try await SettleTests.moveKey(fixture, store, id)
            guard case .forgotten = try await store.forget(Self.user) else {
                Issue.record("the row is gone, and nobody has it in hand")
                return
            }
            let settlement = try SettleTests.settlement(late, .accepted(id))
            let heir = "SELECT FROM subscriber_sync.subscriber WHERE user_key = '2' FOR UPDATE"
            try await whileOpen(fixture.database.dsn, heir) {
                let report = try await slow.settle([settlement])
                #expect(report.skipped.count == 1)
            }
            #expect(try await slow.settle([settlement]).settled == 1)
            let rows = try await Self.remains(fixture)
            #expect(
                rows.allSatisfy { !$0.hasPrefix("pair") && !$0.contains("(1,") && !$0.contains(",1,a@x") }, "\(rows)")
            let healing = try #require(try await store.claims().first)
            #expect(healing.user == UserKey("2") && healing.isDoubted)
            await slow.close()
            await store.close()
        }
    }

    @Test("leaves nothing to come back but the key, whether by an old change, a late call or a sweep")
    func staysForgotten() async throws {
        try await Fixture.run { fixture in
            let slow = try await fixture.store("slow", lease: .milliseconds(1))
            let late = try await SettleTests.claimed(fixture, slow)
            let store = try await fixture.store()
            try await fixture.run("UPDATE users SET deleted_at = now()")
            _ = try await store.claims()
            try await fixture.run("UPDATE subscriber_sync.subscriber SET due_at = now()")
            guard case .forgotten = try await store.forget(Self.user) else {
                Issue.record("out of scope is enough")
                return
            }
            #expect(try await Self.remains(fixture) == [])
            // The row is still in the table, so a sweep writes its key down, and so would an old change.
            _ = try await store.sweepToRest()
            try await fixture.run("INSERT INTO subscriber_sync.change (user_key) VALUES ('1')")
            let again = try #require(try await store.claims().first)
            #expect(again.admitted == nil && again.subscriber == nil && again.told.isEmpty)
            // A late settlement finds somebody who isn't the user it knew.
            let settlement = try SettleTests.settlement(late, .accepted(try #require(SettleTests.id)))
            #expect(try await slow.settle([settlement]).lost == 1)
            let plan = PushPlan(for: again, rules: PushRules())
            _ = try await store.settle([try #require(Settlement(of: again, plan: plan))])
            let rows = try await Self.remains(fixture)
            #expect(!rows.isEmpty)
            for secret in ["a@x", "Ada", "Eng", SettleTests.id?.text ?? ""] {
                #expect(rows.allSatisfy { !$0.contains(secret) }, "\(secret): \(rows)")
            }
            await slow.close()
            await store.close()
        }
    }

    @Test("makes due whoever waits for the reference")
    func frees() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await SettleTests.claimed(fixture, store)
            _ = try await store.settle([try SettleTests.settlement(claim, .accepted(try #require(SettleTests.id)))])
            try await fixture.run(
                "UPDATE users SET deleted_at = now(); INSERT INTO users (id, email) VALUES (2, 'A@x')")
            let claims = try await store.claims()
            _ = try await store.settle([
                try #require(Settlement(of: claims[0], plan: .forget(.outOfScope))),
                try #require(Settlement(of: claims[1], plan: .hold(.duplicateReference))),
            ])
            #expect(try await store.claims().isEmpty)
            #expect(try await store.forget(Self.user) == .forgotten(logRows: 2, hadSubscriber: true))
            #expect(try await store.claims().map(\.user.text) == ["2"])
            await store.close()
        }
    }
}
