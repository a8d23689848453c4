import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Admission") struct AdmitTests {
    static func requests(_ claims: [Claim]) throws -> [AdmissionRequest] {
        try claims.map { claim in
            guard case .present(.some(let reference), _, _) = claim.source else {
                throw StoreError(.mismatch, "in scope")
            }
            return AdmissionRequest(user: claim.user, lease: claim.lease, reference: reference)
        }
    }

    @Test("stops at the limit of 24 hours, exactly, also when two agents ask at once")
    func limits() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 60) i")
            let (one, other) = (try await fixture.store("one"), try await fixture.store("other"))
            let mine = try Self.requests(try await one.claims(30))
            let theirs = try Self.requests(try await other.claims(30))
            async let first = one.admit(mine, limit: 40)
            async let second = other.admit(theirs, limit: 40)
            let verdicts = Array(try await first.values) + Array(try await second.values)
            #expect(verdicts.filter { $0 == .admitted }.count == 40)
            #expect(verdicts.filter { $0 == .overLimit }.count == 20)
            #expect(
                try await one.admit(mine, limit: 40).values.filter { $0 == .overLimit }.count
                    == mine.count - (try await Self.admitted(fixture, mine)), "asking again changes nothing")
            await one.close()
            await other.close()
        }
    }

    static func admitted(_ fixture: Fixture, _ requests: [AdmissionRequest]) async throws -> Int {
        let keys = requests.map { "'\($0.user)'" }.joined(separator: ",")
        return Int(
            try await fixture.value(
                "SELECT count(*) FROM subscriber_sync.subscriber WHERE admitted_at IS NOT NULL AND user_key IN (\(keys))"
            )
                ?? "") ?? -1
    }

    @Test("holds the later of two users with one reference, compared trimmed and without case")
    func findsDuplicates() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'Ada@X'), (2, ' ada@x '), (3, 'bob@x')")
            let store = try await fixture.store()
            let requests = try Self.requests(try await store.claims())
            let verdicts = try await store.admit(requests, limit: nil)
            #expect(verdicts == [UserKey("1"): .admitted, UserKey("2"): .duplicate, UserKey("3"): .admitted])
            await store.close()
        }
    }

    @Test("lets the heir of a deleted user have the reference, and not both if the first returns")
    func handsOver() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let first = try await SettleTests.claimed(fixture, store)
            _ = try await store.settle([try SettleTests.settlement(first, .accepted(try #require(SettleTests.id)))])
            try await fixture.run("DELETE FROM users")
            let gone = try #require(try await store.claims().first)
            _ = try await store.settle([try #require(Settlement(of: gone, plan: .forget(.deleted)))])
            try await fixture.run("INSERT INTO users (id, email) VALUES (2, 'a@x'), (1, 'a@x')")
            let claims = try await store.claims()
            #expect(claims.map(\.standing) == [.deleted, .unsynced])
            guard case .push(let push) = PushPlan(for: claims[0], rules: PushRules()) else {
                Issue.record("one who returns is pushed")
                return
            }
            #expect(push.needsAdmission, "the reference may be somebody else's by now")
            let verdicts = try await store.admit(try Self.requests([claims[1]]), limit: 0)
            #expect(verdicts == [UserKey("2"): .admitted], "the subscriber is there, so none is created")
            #expect(try await store.admit(try Self.requests([claims[0]]), limit: nil) == [UserKey("1"): .duplicate])
            await store.close()
        }
    }

    @Test("refuses a claim whose lease was lost")
    func refusesLostLease() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x')")
            let store = try await fixture.store()
            let claim = try #require(try await store.claims().first)
            let stale = AdmissionRequest(
                user: claim.user, lease: Lease(token: claim.lease.token + 7), reference: try #require(Reference("a@x")))
            #expect(try await store.admit([stale], limit: nil) == [claim.user: .leaseLost])
            await store.close()
        }
    }

    @Test("is given to a user that was held for a reference as soon as its holder is gone")
    func releasesDuplicates() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'A@x')")
            let store = try await fixture.store()
            let claims = try await store.claims()
            _ = try await store.admit(try Self.requests(claims), limit: nil)
            _ = try await store.settle([
                try SettleTests.settlement(claims[0], .accepted(try #require(SettleTests.id))),
                try #require(Settlement(of: claims[1], plan: .hold(.duplicateReference))),
            ])
            #expect(try await store.releaseHeld(limit: nil) == 0)
            try await fixture.run("DELETE FROM users WHERE id = 1")
            let gone = try #require(try await store.claims().first)
            _ = try await store.settle([try #require(Settlement(of: gone, plan: .forget(.deleted)))])
            #expect(try await store.claims().map(\.user.text) == ["2"])
            #expect(try await store.releaseHeld(limit: nil) == 0, "nobody is left for housekeeping")
            await store.close()
        }
    }

    @Test("is given later to users that the limit held")
    func releasesHeld() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x'), ('b@x')")
            let store = try await fixture.store()
            let claims = try await store.claims()
            _ = try await store.admit(try Self.requests([claims[0]]), limit: 1)
            _ = try await store.settle([try #require(Settlement(of: claims[1], plan: .hold(.newSubscriberLimit)))])
            #expect(try await store.row(of: claims[1].user)?.status == "held")
            #expect(try await store.releaseHeld(limit: 1) == 0)
            #expect(try await store.releaseHeld(limit: 2) == 1)
            #expect(try await store.claims().map(\.user) == [claims[1].user])
            await store.close()
        }
    }
}
