import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Pairs") struct PairTests {
    static let rules = PushRules(referenceChange: .new)

    /// Claims, admits and settles everybody who is due, as if SignalWire had accepted; each reference has an id of its own.
    static func push(_ store: Store) async throws {
        for claim in try await store.claims() {
            let plan = PushPlan(for: claim, rules: rules)
            guard case .push(let push) = plan else {
                _ = try await store.settle([try #require(Settlement(of: claim, plan: plan))])
                continue
            }
            if push.needsAdmission {
                let request = AdmissionRequest(user: claim.user, lease: claim.lease, reference: push.reference)
                let verdict = try #require(try await store.admit([request], limit: nil)[claim.user])
                guard verdict == .admitted else {
                    _ = try await store.settle([
                        try #require(plan.admitted(as: verdict).flatMap { Settlement(of: claim, plan: $0) })
                    ])
                    continue
                }
            }
            _ = try await store.settle([try accepted(claim, push)])
        }
    }

    static func accepted(_ claim: Claim, _ push: Push) throws -> Settlement {
        var random = SeededRandom(seed: 1)
        let digits = push.reference.text.utf8.reduce(0) { $0 * 31 % 1_000_000 + Int($1) }
        let id = try #require(SubscriberID("5b000000-0000-4000-8000-\(String(1_000_000_000_000 + digits).suffix(12))"))
        return Settlement(of: claim, push: push, answer: PushAnswer(outcome: .accepted(id)), using: &random)
    }

    @Test("of one user are kept up to twenty, the newest, with from when until when")
    func bounded() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'r0@x', 'Eng')")
            try await Self.push(store)
            for number in 1...25 {
                try await fixture.run("UPDATE users SET email = 'r\(number)@x'")
                try await Self.push(store)
            }
            let former = try await store.formerPairs(of: UserKey("1"))
            #expect(former.map(\.reference) == (5...24).reversed().map { "r\($0)@x" })
            #expect(former.allSatisfy { $0.subscriberID != nil && $0.since < $0.until })
            #expect(zip(former, former.dropFirst()).allSatisfy { $0.since == $1.until }, "one follows on the other")
            let row = try #require(try await store.row(of: UserKey("1")))
            #expect(row.reference == "r25@x" && row.referenceSince == former.first?.until)
            await store.close()
        }
    }

    @Test("that were left make due whoever has them now, when a call for them comes back late")
    func warnsByCalledReference() async throws {
        try await Fixture.run { fixture in
            let slow = try await fixture.store("slow", lease: .milliseconds(1))
            let late = try await SettleTests.claimed(fixture, slow)
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email) VALUES (2, 'b@x')")
            try await Self.push(store)
            try await fixture.run("UPDATE users SET email = CASE email WHEN 'a@x' THEN 'b@x' ELSE 'a@x' END")
            for _ in 1...4 {
                try await Self.push(store)
                try await fixture.run(
                    "UPDATE subscriber_sync.subscriber SET due_at = now(), doubted_until = NULL WHERE due_at IS NOT NULL"
                )
            }
            #expect(
                try await fixture.column("SELECT reference || status FROM subscriber_sync.subscriber ORDER BY user_key")
                    == ["b@xsynced", "a@xsynced"])
            #expect(
                try await slow.settle([try SettleTests.settlement(late, .accepted(try #require(SettleTests.id)))]).lost
                    == 1)
            let healing = try await store.claims()
            #expect(healing.map(\.user.text) == ["1", "2"] && healing.allSatisfy(\.isDoubted))
            await slow.close()
            await store.close()
        }
    }

    @Test("don't keep whoever has a reference from it, when somebody with a smaller key asks for it at the same time")
    func holderFirst() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email) VALUES (2, 'a@x')")
            try await Self.push(store)
            try await fixture.run("DELETE FROM users")
            try await Self.push(store)
            try await fixture.run("INSERT INTO users (id, email) VALUES (2, 'a@x'), (1, 'a@x')")
            let claims = try await store.claims()
            _ = try await store.settle([try #require(Settlement(of: claims[1], plan: .hold(.missingProfile)))])
            _ = try await store.resync([claims[1].user], isForced: false)
            try await fixture.run("UPDATE subscriber_sync.subscriber SET lease = NULL, due_at = now()")
            let both = try await store.claims()
            #expect(both.map(\.standing) == [.unsynced, .held])
            let verdicts = try await store.admit(try AdmitTests.requests(both), limit: nil)
            #expect(verdicts == [UserKey("1"): .duplicate, UserKey("2"): .admitted])
            await store.close()
        }
    }

    @Test("are written by admission for an agent's role that was made before there were any")
    func servesOlderRole() async throws {
        try await Fixture.run { fixture in
            let role = "older_\(fixture.database.name)"
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            try await Self.push(store)
            try await fixture.run("UPDATE users SET email = 'c@x'")
            let claim = try #require(try await store.claims().first)
            try await fixture.run(
                """
                CREATE ROLE \(role);
                GRANT USAGE ON SCHEMA subscriber_sync TO \(role);
                GRANT SELECT, INSERT, UPDATE ON subscriber_sync.subscriber TO \(role);
                GRANT EXECUTE ON FUNCTION subscriber_sync.admit(text[], bigint[], text[], integer) TO \(role);
                SET ROLE \(role)
                """)
            let verdict = try await fixture.value(
                "SELECT verdict FROM subscriber_sync.admit('{1}', '{\(claim.lease.token)}', '{c@x}', 10)")
            try await fixture.run("RESET ROLE; DROP OWNED BY \(role); DROP ROLE \(role)")
            #expect(verdict == "admitted")
            #expect(try await store.formerPairs(of: UserKey("1")).map(\.reference) == ["a@x"])
            await store.close()
        }
    }
}

@Suite("Looking through all references") struct ReferenceAuditTests {
    @Test("counts those that several users in scope have, and names a few")
    func duplicates() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            #expect(try await store.duplicateReferences().references == 0)
            try await fixture.run(
                """
                INSERT INTO users (email) SELECT 'U' || i % 10 || '@x' FROM generate_series(1, 20) i;
                INSERT INTO users (email, deleted_at) VALUES ('gone@x', now()), ('gone@x', NULL), ('once@x', NULL);
                INSERT INTO users (email) VALUES (NULL), (''), (E' u1@X\\t'), (NULL)
                """)
            let found = try await store.duplicateReferences()
            #expect(found.references == 10 && found.users == 21)
            #expect(found.samples.count == Store.auditSamples)
            #expect(found.samples.first == ReferenceDuplicates.Pair(UserKey("1"), UserKey("26")))
            await store.close()
        }
    }

    @Test("counts users in scope without one, by what is the matter")
    func missing() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await fixture.run(
                """
                INSERT INTO users (email, deleted_at) VALUES (NULL, NULL), ('', NULL), (E' \\t\\n', NULL),
                    (E'a\\nb', NULL), ('a@x', NULL), (NULL, now())
                """)
            let found = try await store.missingReferences()
            #expect(found.null == 1 && found.blank == 2 && found.unreadable == 1)
            #expect(found.samples.map(\.text) == ["1", "2", "3", "4"])
            await store.close()
        }
    }
}
