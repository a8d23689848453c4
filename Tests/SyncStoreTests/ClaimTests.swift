import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("A claim") struct ClaimTests {
    @Test("folds all changes of a user into one claim with the current profile")
    func foldsChanges() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email, first_name, title) VALUES (1, 'ada@x', 'Ada', 'Eng')")
            try await fixture.run("UPDATE users SET title = 'Countess' WHERE id = 1")
            let store = try await fixture.store()
            let batch = try await store.claim(limit: 10)
            #expect(batch.folded == 2)
            let claim = try #require(batch.claims.first)
            #expect(batch.claims.count == 1)
            #expect(claim.user == UserKey("1"))
            guard case .present(let reference, let profile, _) = claim.source else {
                Issue.record("the user is in scope")
                return
            }
            #expect(reference?.text == "ada@x")
            #expect(profile.values == [.firstName: "Ada", .jobTitle: "Countess"])
            #expect(try await fixture.value("SELECT count(*) FROM subscriber_sync.change") == "0")
            #expect(try await fixture.value("SELECT status FROM subscriber_sync.subscriber") == "in_flight")
            #expect(try await fixture.value("SELECT reference FROM subscriber_sync.subscriber") == "ada@x")
            await store.close()
        }
    }

    @Test("never gives one user to two agents")
    func sharesUsers() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO users (email, first_name) SELECT 'u' || i || '@x', 'F' FROM generate_series(1, 400) i")
            let stores = [try await fixture.store("a"), try await fixture.store("b"), try await fixture.store("c")]
            let taken = try await withThrowingTaskGroup(of: [UserKey].self) { group in
                for store in stores {
                    group.addTask {
                        var users: [UserKey] = []
                        for _ in 0..<40 { users += try await store.claim(limit: 20).claims.map(\.user) }
                        return users
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.count == 400)
            #expect(Set(taken).count == 400)
            for store in stores { await store.close() }
        }
    }

    @Test("leaves a user with a held lease alone, and wants it again after a change")
    func leavesLeases() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            let store = try await fixture.store()
            let first = try #require(try await store.claims().first)
            try await fixture.run("UPDATE users SET title = 'new' WHERE id = 1")
            let second = try await store.claim(limit: 10)
            #expect(second.claims.isEmpty)
            #expect(second.folded == 1)
            #expect(second.nextDue.map { $0 > .seconds(30) } == true)
            let report = try await store.settle([try #require(Settlement(of: first, plan: .hold(.missingReference)))])
            #expect(report.settled == 1)
            #expect(report.dueNow == 1)
            let third = try #require(try await store.claims().first)
            #expect(third.version == first.version + 1)
            await store.close()
        }
    }

    @Test("leaves a quarter of the leases to those who have been due for ten seconds, however many changes come")
    func keepsLeasesForThePatient() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) SELECT i, i || '@x' FROM generate_series(1, 100) i")
            let store = try await fixture.store()
            // Folded and not leased: from here on all are due.
            #expect(try await store.claim(limit: 0).folded == 100)
            try await fixture.run(
                "UPDATE subscriber_sync.subscriber SET due_at = due_at - interval '10 s' WHERE length(user_key) = 1")
            for (limit, waited) in [(8, 2), (1, 1), (6, 2), (0, 0)] {
                try await fixture.run("UPDATE users SET title = coalesce(title, '') || 'x' WHERE id > 50")
                let claims = try await store.claim(limit: limit).claims
                #expect(claims.count == limit)
                #expect(claims.count { $0.user.text.count == 1 } == waited)
                #expect(claims.count { $0.user.text.count > 1 } == limit - waited)
                _ = try await store.settle(claims.map(Settlement.init(releasing:)))
            }
            await store.close()
        }
    }

    @Test("takes over a lease that ended, and trusts nothing of what was told")
    func takesOver() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            let dead = try await fixture.store("dead", lease: .milliseconds(1))
            let lost = try #require(try await dead.claims().first)
            let store = try await fixture.store("heir")
            let claim = try #require(try await store.claims().first)
            #expect(claim.lease != lost.lease)
            #expect(claim.attempt == 2)
            #expect(claim.isDoubted)
            #expect(claim.told == [.firstName: .unknown, .jobTitle: .unknown, .timeZone: .unknown])
            await dead.close()
            await store.close()
        }
    }

    @Test("sees users that are out of scope, deleted, or without a reference as what they are")
    func seesStates() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                INSERT INTO users (id, email, deleted_at) VALUES (1, 'a@x', now()), (2, 'b@x', NULL), (3, '  ', NULL);
                DELETE FROM users WHERE id = 2
                """)
            let store = try await fixture.store()
            let claims = try await store.claims()
            #expect(claims.map(\.user.text) == ["1", "2", "3"])
            let kinds = claims.map { claim in
                switch claim.source {
                case .present(let reference, _, _): reference == nil ? "blank" : "present"
                case .outOfScope: "out"
                case .withoutProfile: "without profile"
                case .deleted: "deleted"
                }
            }
            #expect(kinds == ["out", "deleted", "blank"])
            await store.close()
        }
    }

    @Test("reads keys of type uuid, text, integer and bigint by the key's own index")
    func readsKeyTypes() async throws {
        for (type, key) in [
            ("uuid", "6f2d9d0e-6a3f-4d3b-9e57-0f7d6a2f8f11"), ("text", "it's \"odd\" \\ ключ"), ("integer", "7"),
            ("bigint", "9007199254740993"), ("varchar(40)", "v 1"),
        ] {
            let table =
                "CREATE TABLE public.users (id \(type) PRIMARY KEY, email text, first_name text, title text, "
                + "time_zone text, deleted_at timestamptz)"
            try await Fixture.run(table: table) { fixture in
                let literal = key.replacing("'", with: "''")
                try await fixture.run("INSERT INTO users (id, email) VALUES ('\(literal)', 'a@x')")
                let store = try await fixture.store()
                let claim = try #require(try await store.claims().first)
                #expect(claim.user.text == key)
                guard case .present = claim.source else {
                    Issue.record("a user by a key of type \(type) is found")
                    return
                }
                await store.close()
            }
        }
    }

    @Test("works with names that have capitals, quotes and spaces")
    func quotesNames() async throws {
        let table = #"""
            CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."User ""Table""" (
            "The Key" int PRIMARY KEY, "E Mail" text, "select" text, "it's" timestamptz)
            """#
        let mapping = SourceMapping(
            table: QualifiedName(schema: "My Schema", name: "User \"Table\""), key: "The Key", reference: "E Mail",
            scope: "\"it's\" IS NULL", fields: [.jobTitle: "select"])
        try await Fixture.run(table: table, mapping: mapping) { fixture in
            let users = "\"My Schema\".\"User \"\"Table\"\"\""
            try await fixture.run("INSERT INTO \(users) VALUES (1, 'a@x', 'from', NULL)")
            try await fixture.run("UPDATE \(users) SET \"select\" = 'where'; UPDATE \(users) SET \"The Key\" = 2")
            let store = try await fixture.store()
            let claims = try await store.claims()
            #expect(claims.map(\.user.text) == ["1", "2"])
            guard case .present(_, let profile, _) = claims.last?.source else {
                Issue.record("the renamed user is there")
                return
            }
            #expect(profile.values == [.jobTitle: "where"])
            await store.close()
        }
    }

    @Test("leaves a user to the next claim whom somebody folded after its snapshot was taken")
    func refusesStaleReads() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'old')")
            let store = try await fixture.store()
            let first = try #require(try await store.claims().first)
            _ = try await store.settle([Settlement(releasing: first)])
            // Another session has folded a newer change and holds the row; the claim waits for nothing, and
            // must not take the row with a version that its own reading of the source doesn't have.
            let folds = "UPDATE subscriber_sync.subscriber SET wanted = wanted + 1"
            try await whileOpen(fixture.database.dsn, folds) {
                let skipped = try await store.claim(limit: 10)
                #expect(skipped.claims.isEmpty)
            }
            let claim = try #require(try await store.claims().first)
            #expect(claim.version == first.version + 1)
            await store.close()
        }
    }

    @Test("leaves a user to the next claim who was folded between its snapshot and its lock")
    func refusesVersionsItDoesNotSee() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x')")
            let store = try await fixture.store()
            let before = try await store.claims()
            _ = try await store.settle(before.map { Settlement(releasing: $0) })
            try await fixture.run("UPDATE users SET title = 'new' WHERE id = 1")
            // The claim folds the first user's change, and so waits for the row; by then it has its snapshot, and
            // comes to the lock of the second when somebody has written that one.
            let folds = "UPDATE subscriber_sync.subscriber SET wanted = wanted + 1"
            var claiming: Task<ClaimBatch, any Error>?
            try await whileOpen(fixture.database.dsn, folds) {
                claiming = Task { try await store.claim(limit: 10) }
                try await eventually("the claim waits for the first user's row") {
                    try await fixture.value(
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
                        == "1"
                }
            }
            let batch = try #require(try await claiming?.value)
            #expect(batch.folded == 1 && batch.claims.isEmpty)
            #expect(try await store.claims().map(\.user.text) == ["1", "2"])
            await store.close()
        }
    }

    @Test("takes nobody while the fleet is paused, but goes on folding")
    func obeysPause() async throws {
        try await Fixture.run { fixture in
            try await FleetControl(session: fixture.session, operatorName: "me").pause(reason: "lunch")
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            let store = try await fixture.store()
            let batch = try await store.claim(limit: 10)
            #expect(batch.gate == .paused(probeAfter: nil))
            #expect(batch.claims.isEmpty)
            #expect(batch.folded == 1)
            #expect(try await fixture.value("SELECT status FROM subscriber_sync.subscriber") == "pending")
            try await FleetControl(session: fixture.session, operatorName: "me").resume()
            #expect(try await store.claims().count == 1)
            await store.close()
        }
    }

    @Test("lets one probe through during an account pause, and not the next at once")
    func probes() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x'), ('b@x')")
            let store = try await fixture.store()
            _ = try await store.claim(limit: 0)
            try await store.pauseForAccount(Problem(code: "unauthorized", message: "no"))
            guard case .paused(.some(let wait)) = try await store.claim(limit: 10).gate else {
                Issue.record("paused, with a probe to come")
                return
            }
            #expect(wait > .seconds(3) && wait <= .seconds(5))
            try await fixture.run("UPDATE subscriber_sync.control SET probe_at = now()")
            let probe = try await store.claim(limit: 10)
            #expect(probe.gate == .probing)
            #expect(probe.claims.count == 1)
            guard case .paused(.some(let next)) = try await store.claim(limit: 10).gate else {
                Issue.record("one probe at a time")
                return
            }
            #expect(next > .seconds(3))
            try await store.resumeAfterProbe()
            #expect(try await store.claim(limit: 10).gate == .open)
            await store.close()
        }
    }

    @Test("is silent for as long as SignalWire asked, over all agents")
    func throttles() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (email) VALUES ('a@x')")
            let (one, other) = (try await fixture.store("one"), try await fixture.store("other"))
            try await one.throttle(for: .seconds(30))
            try await one.throttle(for: .seconds(3))
            guard case .throttled(let wait) = try await other.claim(limit: 10).gate else {
                Issue.record("throttled")
                return
            }
            #expect(wait > .seconds(25) && wait <= .seconds(30))
            await one.close()
            await other.close()
        }
    }
}
