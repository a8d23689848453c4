import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("What the brakes go by in the database") struct BrakeStoreTests {
    /// Users who are known since long, each with the seconds since the row was changed.
    static func known(_ fixture: Fixture, changed: [Int], standing: String = "synced") async throws {
        for (index, seconds) in changed.enumerated() {
            try await fixture.run(
                """
                INSERT INTO subscriber_sync.subscriber (user_key, standing, admitted_at, changed_at)
                VALUES ('\(standing)\(index)', '\(standing)', now() - interval '3 days', now() - interval '\(seconds) s')
                """)
        }
    }

    static func ago(_ seconds: Int, _ fixture: Fixture) async throws -> String? {
        try await fixture.value("SELECT now() - interval '\(seconds) s'")
    }

    @Test("is the most users who changed within one window, also in one that has passed, since somebody judged")
    func counts() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            #expect(try await store.changed(from: nil) == 0)
            try await Self.known(fixture, changed: [5, 1000, 1200, 1500, 1590, 3000])
            try await Self.known(fixture, changed: [1100, 1], standing: "deleted")
            #expect(try await store.changed(from: nil) == 1)
            #expect(try await store.changed(from: try await Self.ago(1595, fixture)) == 4)
            #expect(try await store.changed(from: try await Self.ago(900, fixture)) == 2, "what came before it")
            #expect(try await store.changed(from: try await Self.ago(900_000, fixture)) == 4)
            try await fixture.run("UPDATE subscriber_sync.control SET judged_at = now() - interval '1250 s'")
            #expect(try await store.changed(from: try await Self.ago(1595, fixture)) == 2)
            try await fixture.run(
                "UPDATE subscriber_sync.subscriber SET admitted_at = now() WHERE user_key = 'synced1'")
            #expect(try await store.changed(from: try await Self.ago(1595, fixture)) == 1, "one of them is new")
            await store.close()
        }
    }

    @Test("counts whose change waits to be folded, each once, and only those who are known")
    func countsWaiting() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                INSERT INTO users (id, email) SELECT i, i || '@x' FROM generate_series(1, 8) i;
                DELETE FROM subscriber_sync.change;
                INSERT INTO subscriber_sync.subscriber (user_key, standing, admitted_at, changed_at)
                SELECT i, CASE i WHEN 4 THEN 'deleted' ELSE 'synced' END,
                    now() - CASE i WHEN 5 THEN interval '1 s' ELSE interval '3 days' END,
                    now() - CASE i WHEN 1 THEN interval '20 s' ELSE interval '2 days' END
                FROM generate_series(1, 7) i
                """)
            let store = try await fixture.store()
            #expect(try await store.changed(from: nil) == 1)
            try await fixture.run("UPDATE users SET title = 'x' WHERE id IN (1, 2)")
            try await fixture.run("UPDATE users SET title = 'y' WHERE id IN (2, 3)")
            #expect(try await store.changed(from: nil) == 3)
            try await fixture.run("UPDATE users SET title = 'x' WHERE id IN (4, 5, 8)")
            #expect(try await store.changed(from: nil) == 3, "deleted, new, and unknown")
            try await fixture.run(
                "UPDATE subscriber_sync.change SET changed_at = now() - interval '11 minutes' WHERE user_key = '3'")
            #expect(try await store.changed(from: nil) == 2)
            #expect(try await store.changed(from: try await Self.ago(660, fixture)) == 2, "two in any window")
            try await fixture.run("UPDATE subscriber_sync.control SET judged_at = now()")
            #expect(try await store.changed(from: nil) == 0)
            await store.close()
        }
    }

    @Test("counts on after reject what no agent has looked at yet, and nothing after approve")
    func judgesWhatWasSeen() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                INSERT INTO users (id, email) SELECT i, i || '@x' FROM generate_series(1, 5) i;
                DELETE FROM subscriber_sync.change;
                INSERT INTO subscriber_sync.subscriber (user_key, standing, last_error_code, admitted_at, changed_at, due_at)
                SELECT i, CASE i WHEN 1 THEN 'held' WHEN 2 THEN 'retrying' ELSE 'synced' END,
                    CASE i WHEN 1 THEN 'mass_change' END, now() - interval '3 days',
                    now() - CASE i WHEN 1 THEN interval '20 s' ELSE interval '2 days' END,
                    CASE i WHEN 2 THEN now() END
                FROM generate_series(1, 5) i;
                UPDATE subscriber_sync.control SET braked_at = now() - interval '10 s';
                UPDATE users SET title = 'x' WHERE id IN (3, 4)
                """)
            let store = try await fixture.store()
            let control = FleetControl(session: fixture.session, operatorName: "me")
            #expect(try await store.changed(from: nil) == 3)
            #expect(try await control.reject() == Judgement(changed: 1, new: 0))
            #expect(try await store.changed(from: nil) == 2, "they wait")
            #expect(try await store.claim(limit: 0).folded == 2)
            try await fixture.run("UPDATE subscriber_sync.control SET braked_at = now()")
            _ = try await control.reject()
            #expect(try await store.changed(from: nil) == 2, "they are due")
            _ = try await control.reject()
            #expect(try await store.changed(from: nil) == 0, "nothing was held")
            try await fixture.run("UPDATE users SET title = 'y' WHERE id = 5")
            #expect(try await store.changed(from: nil) == 1)
            try await fixture.run("UPDATE subscriber_sync.control SET braked_at = now()")
            _ = try await control.approve()
            #expect(try await store.changed(from: nil) == 0)
            await store.close()
        }
    }

    @Test("counts no more of the known than make the limit twice what changed, and no changes where there is no limit")
    func countsFew() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let gauge = BlastGauge(sharePercent: 30, fewest: 3)
            try await Self.known(fixture, changed: [5, 6])
            #expect(try await store.countChanges(from: nil, for: gauge) == BlastCount(changed: 0, known: 2))
            try await Self.known(fixture, changed: Array(repeating: 3000, count: 40), standing: "rejected")
            #expect(try await store.countChanges(from: nil, for: gauge) == BlastCount(changed: 2, known: 14))
            let tight = BlastGauge(sharePercent: 1, fewest: 3)
            #expect(try await store.countChanges(from: nil, for: tight) == BlastCount(changed: 2, known: 42))
            await store.close()
        }
    }

    @Test("begins with the oldest change that a claim is about, folded or due, and not with a resync's")
    func oldest() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x'), (3, 'c@x')")
            let store = try await fixture.store()
            #expect(try await store.claim(limit: 0).oldestChange != nil)
            #expect(try await store.claim(limit: 0).oldestChange == nil, "it is about nobody")
            try await fixture.run(
                """
                UPDATE subscriber_sync.subscriber SET changed_at = to_timestamp(user_key::integer),
                    priority = CASE user_key WHEN '1' THEN 1 ELSE 0 END
                """)
            let batch = try await store.claim(limit: 10)
            #expect(batch.claims.count == 3)
            let seconds = "SELECT extract(epoch FROM '\(batch.oldestChange ?? "")'::timestamptz)::integer"
            #expect(try await fixture.value(seconds) == "2")
            await store.close()
        }
    }

    @Test("leaves a held user who is in flight to that agent when it is approved, and wants the user once more")
    func approvesInFlight() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x')")
            let store = try await fixture.store()
            #expect(try await store.claims().count == 2)
            try await fixture.run(
                """
                UPDATE subscriber_sync.subscriber SET standing = 'held', last_error_code = 'mass_change';
                UPDATE subscriber_sync.subscriber SET lease = NULL, due_at = NULL WHERE user_key = '2'
                """)
            let control = FleetControl(session: fixture.session, operatorName: "me")
            #expect(try await control.approve() == Judgement(changed: 2, new: 0))
            #expect(try await store.claims().map(\.user.text) == ["2"], "the other's lease holds")
            #expect(
                try await fixture.column("SELECT wanted FROM subscriber_sync.subscriber ORDER BY user_key") == [
                    "2", "2",
                ])
            await store.close()
        }
    }
}

extension Store {
    /// The most known users who changed within one window, whatever the limit is.
    fileprivate func changed(from oldest: String?) async throws(StoreError) -> Int {
        try await countChanges(from: oldest, for: BlastGauge(sharePercent: 1, fewest: 0)).changed
    }
}
