import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("A settlement") struct SettleTests {
    static let id = SubscriberID("32d94154-9297-418c-9a85-4a69e0c67c30")

    /// Settles a claim as if SignalWire had answered so.
    static func settlement(_ claim: Claim, _ outcome: PushOutcome) throws -> Settlement {
        guard case .push(let push) = PushPlan(for: claim, rules: PushRules()) else {
            throw StoreError(.mismatch, "the plan is to push")
        }
        var random = SeededRandom(seed: 1)
        let answer = PushAnswer(outcome: outcome, httpStatus: 200, requestID: "r-1", duration: .milliseconds(12))
        return Settlement(of: claim, push: push, answer: answer, using: &random)
    }

    static func claimed(_ fixture: Fixture, _ store: Store) async throws -> Claim {
        try await fixture.run("INSERT INTO users (id, email, first_name, title) VALUES (1, 'a@x', 'Ada', 'Eng')")
        let claim = try #require(try await store.claims().first)
        let request = AdmissionRequest(
            user: claim.user, lease: claim.lease, reference: try #require(Reference("a@x")))
        #expect(try await store.admit([request], limit: 10) == [claim.user: .admitted])
        return claim
    }

    @Test("writes down what was told, by whom it was accepted, and a row of the log")
    func writesAccepted() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store("agent-7")
            let claim = try await Self.claimed(fixture, store)
            let id = try #require(Self.id)
            let report = try await store.settle([try Self.settlement(claim, .accepted(id))])
            #expect(report.settled == 1 && report.lost == 0 && report.dueNow == 0)
            let row = try #require(try await store.row(of: claim.user))
            #expect(row.status == "synced")
            #expect(row.subscriberID == id.text)
            #expect(row.attempts == 0 && row.dueAt == nil && row.syncedAt != nil)
            let log = try #require(try await SyncLog.read(user: nil, after: nil, limit: 10, in: fixture.session).last)
            #expect(log.outcome == "accepted" && log.agent == "agent-7" && log.requestID == "r-1")
            #expect(log.changedFields == ["first_name", "job_title"])
            #expect(log.durationMilliseconds == 12)
            // Nothing is left to do: the same profile again is not sent.
            try await fixture.run("UPDATE users SET title = 'x'; UPDATE users SET title = 'Eng'")
            let again = try #require(try await store.claims().first)
            guard case .nothing = PushPlan(for: again, rules: PushRules()) else {
                Issue.record("there and back again is no change")
                return
            }
            await store.close()
        }
    }

    @Test("is not written where the lease was lost; the user is due and doubted instead")
    func fences() async throws {
        try await Fixture.run { fixture in
            let slow = try await fixture.store("slow", lease: .milliseconds(1))
            let late = try await Self.claimed(fixture, slow)
            let store = try await fixture.store("quick")
            let claim = try #require(try await store.claims().first)
            let id = try #require(Self.id)
            let report = try await slow.settle([try Self.settlement(late, .accepted(id))])
            #expect(report.lost == 1 && report.settled == 0)
            #expect(try await store.settle([try Self.settlement(claim, .accepted(id))]).dueNow == 1)
            let healing = try #require(try await store.claims().first)
            #expect(healing.isDoubted)
            #expect(
                try await fixture.column("SELECT outcome FROM subscriber_sync.log ORDER BY id").contains("lease_lost"))
            await slow.close()
            await store.close()
        }
    }

    @Test("whose lease was lost makes due whoever has the reference by now, as after a change of the key")
    func warnsHeirs() async throws {
        try await Fixture.run { fixture in
            let slow = try await fixture.store("slow", lease: .milliseconds(1))
            let late = try await Self.claimed(fixture, slow)
            let store = try await fixture.store("quick")
            let id = try #require(Self.id)
            try await Self.moveKey(fixture, store, id)
            #expect(try await store.row(of: UserKey("2"))?.status == "synced")

            // The heir's row is locked: nothing is written yet, and nobody is forgotten.
            let settlement = try Self.settlement(late, .accepted(id))
            let heir = "SELECT FROM subscriber_sync.subscriber WHERE user_key = '2' FOR UPDATE"
            try await whileOpen(fixture.database.dsn, heir) {
                let report = try await slow.settle([settlement])
                #expect(report.skipped.count == 1 && report.lost == 0)
            }
            #expect(try await slow.settle([settlement]).lost == 1)
            let healing = try #require(try await store.claims().first { $0.user == UserKey("2") })
            #expect(healing.isDoubted, "the late call may have overwritten what the heir was told to be")
            #expect(
                try await fixture.value("SELECT count(*) FROM subscriber_sync.log WHERE outcome = 'lease_lost'") == "1")
            await slow.close()
            await store.close()
        }
    }

    /// User 1 becomes user 2, and everybody comes to rest; what the takeover left of a doubt is over.
    static func moveKey(_ fixture: Fixture, _ store: Store, _ id: SubscriberID) async throws {
        try await fixture.run("UPDATE users SET id = 2, title = 'Dr'")
        let claims = try await store.claims()
        let gone = try #require(claims.first { $0.user == UserKey("1") })
        _ = try await store.settle([try #require(Settlement(of: gone, plan: PushPlan(for: gone, rules: PushRules())))])
        var heir = try #require(claims.first { $0.user == UserKey("2") })
        let request = AdmissionRequest(user: heir.user, lease: heir.lease, reference: try #require(Reference("a@x")))
        #expect(try await store.admit([request], limit: 10) == [heir.user: .admitted])
        for _ in 0..<2 {
            try await fixture.run("UPDATE subscriber_sync.subscriber SET doubted_until = now() - interval '1 second'")
            _ = try await store.settle([try Self.settlement(heir, .accepted(id))])
            guard let again = try await store.claims().first else { return }
            heir = again
        }
    }

    @Test("that nobody answered leaves a doubt that outlives a success claimed before its end")
    func doubts() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await Self.claimed(fixture, store)
            let problem = Problem(code: "timeout", message: "no answer")
            _ = try await store.settle([try Self.settlement(claim, .unavailable(problem, .unanswered))])
            #expect(try await store.row(of: claim.user)?.status == "retrying")
            try await fixture.run("UPDATE subscriber_sync.subscriber SET due_at = now()")
            let retry = try #require(try await store.claims().first)
            #expect(retry.isDoubted && retry.attempt == 2)
            #expect(retry.told == [.firstName: .unknown, .jobTitle: .unknown])
            _ = try await store.settle([try Self.settlement(retry, .accepted(try #require(Self.id)))])
            let row = try #require(try await store.row(of: claim.user))
            #expect(row.status == "pending", "sent once more when nothing can land late any more")
            #expect((row.dueInSeconds ?? 0) > 30)
            try await fixture.run(
                "UPDATE subscriber_sync.subscriber SET due_at = now(), doubted_until = now() - interval '1 second'")
            let last = try #require(try await store.claims().first)
            _ = try await store.settle([try Self.settlement(last, .accepted(try #require(Self.id)))])
            #expect(try await store.row(of: claim.user)?.status == "synced")
            await store.close()
        }
    }

    @Test("of a row that somebody has locked comes back as skipped, and waits for nobody")
    func skipsLocked() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await Self.claimed(fixture, store)
            let settlement = try Self.settlement(claim, .accepted(try #require(Self.id)))
            try await whileOpen(fixture.database.dsn, "SELECT FROM subscriber_sync.subscriber FOR UPDATE") {
                let report = try await store.settle([settlement])
                #expect(report.skipped.count == 1 && report.settled == 0)
            }
            #expect(try await store.settle([settlement]).settled == 1)
            await store.close()
        }
    }

    @Test("of a deleted user keeps the pair and erases what was told")
    func forgets() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await Self.claimed(fixture, store)
            _ = try await store.settle([try Self.settlement(claim, .accepted(try #require(Self.id)))])
            try await fixture.run("DELETE FROM users")
            let gone = try #require(try await store.claims().first)
            _ = try await store.settle([
                try #require(Settlement(of: gone, plan: PushPlan(for: gone, rules: PushRules())))
            ])
            let row = try #require(try await store.row(of: claim.user))
            #expect(row.status == "deleted" && row.reference == "a@x" && row.subscriberID == Self.id?.text)
            #expect(
                try await fixture.value("SELECT told::text FROM subscriber_sync.subscriber")
                    == #"{"job_title": null, "first_name": null}"#)
            await store.close()
        }
    }
}
