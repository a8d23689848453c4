import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("Rules for values in the database") struct ValueRulesStoreTests {
    @Test("make a claim's values, its digests, and what may have been sent by one that ended without a word")
    func claims() async throws {
        let rules = ValueRules(displayName: .fullName, constants: [.companyName: "Acme"])
        try await Fixture.run(mapping: .users.with(rules)) { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email, first_name, time_zone) VALUES (1, 'a@x', 'Ada', 'Kyiv')")
            let store = try await fixture.store()
            let claim = try #require(try await store.claims().first)
            guard case .present(_, let profile, let digests) = claim.source else {
                Issue.record("\(claim.source)")
                return
            }
            let sent: [ProfileField] = [.firstName, .displayName, .companyName, .timeZone]
            #expect(profile.values.keys.sorted() == sent && digests.values.keys.sorted() == sent)
            #expect(digests.empty.keys.sorted() == [.firstName, .displayName, .jobTitle, .companyName, .timeZone])
            #expect(profile.values[.timeZone] == "Europe/Kyiv")
            try await fixture.run("UPDATE subscriber_sync.subscriber SET due_at = now()")
            let next = try #require(try await store.claims().first)
            #expect(next.told.keys.sorted() == digests.empty.keys.sorted())
            #expect(next.told.values.allSatisfy { $0 == .unknown })
            await store.close()
        }
    }

    @Test(
        "that make something else of a column free whom SignalWire refused, and no rule but one that bears on a field")
    func marks() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            let plain = try await fixture.store()
            try await SweepTests.settleAll(plain)
            let mark = plain.source.mappingMark
            await plain.close()
            let irrelevant = ValueRules(country: .iso2)
            let rules = [irrelevant, ValueRules(invalidTimeZone: .send), ValueRules(constants: [.companyName: "Acme"])]
            for rules in rules {
                let changed = Fixture(
                    database: fixture.database, session: fixture.session, mapping: fixture.mapping.with(rules))
                let store = try await changed.store()
                #expect((store.source.mappingMark == mark) == (rules == irrelevant))
                try await fixture.run("UPDATE subscriber_sync.subscriber SET standing = 'rejected', due_at = NULL")
                try await store.requestSweep(because: "rules")
                try await store.sweepToRest()
                let isLookedAt = try await SweepTests.changes(fixture) == ["1"]
                #expect(isLookedAt == (rules != irrelevant))
                try await fixture.run("DELETE FROM subscriber_sync.change")
                await store.close()
            }
        }
    }

    @Test("that concern time zones are what a census of the column goes by, over everybody in scope")
    func census() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                INSERT INTO users (email, time_zone) SELECT 'a' || i || '@x', 'Mars' FROM generate_series(1, 30) i;
                INSERT INTO users (email, time_zone) SELECT 'b' || i || '@x', 'Arizona' FROM generate_series(1, 50) i;
                INSERT INTO users (email, time_zone, deleted_at) VALUES
                ('c@x', 'PST', NULL), ('d@x', ' PST ', NULL), ('e@x', 'Gone', now()), ('f@x', NULL, NULL), ('g@x', '', NULL);
                INSERT INTO users (email, time_zone) VALUES ('h@x', repeat('x', 100000))
                """)
            let store = try await fixture.store()
            let census = try #require(try await store.timeZones())
            #expect(census.unknown.map(\.value) == ["Mars", "PST", String(repeating: "x", count: 64)])
            #expect(census.unknown.map(\.users) == [30, 2, 1] && census.users == 33 && census.isComplete)
            await store.close()
            let mapping = ProfileTests.mapping(fields: [.jobTitle: "title"])
            let other = Fixture(database: fixture.database, session: fixture.session, mapping: mapping)
            let without = try await other.store()
            #expect(try await without.timeZones() == nil)
            await without.close()
        }
    }
}
