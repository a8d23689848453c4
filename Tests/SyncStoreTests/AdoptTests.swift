import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("An adoption") struct AdoptTests {
    static let users = """
        INSERT INTO users (id, email, first_name, title) VALUES
            (1, 'a@x', 'Ada', 'Eng'), (2, 'b@x', 'Bob', NULL), (3, 'c@x', 'Cyd', NULL)
        """

    static func id(_ number: Int) -> String { "32d94154-9297-418c-9a85-00000000000\(number)" }

    /// A subscriber as the list has it: the fields of `SourceMapping.users`, blank where nothing is given.
    static func listed(_ number: Int, _ reference: String, _ fields: [ProfileField: String] = [:]) throws
        -> RemoteSubscriber
    {
        let blank: [ProfileField: String] = [.firstName: "", .jobTitle: "", .timeZone: ""]
        return RemoteSubscriber(
            resource: nil, id: try #require(SubscriberID(id(number))), reference: Reference(known: reference),
            fields: blank.merging(fields) { $1 })
    }

    /// Everybody as they are compared with a list, with the plan for each that is to be adopted.
    static func compared(
        _ store: Store, _ list: [RemoteSubscriber]
    ) async throws -> (users: [ComparedUser], adoptions: [(user: ComparedUser, adoption: Adoption)], RemoteDirectory) {
        let users = try await store.comparedPage(after: nil, limit: 100, since: try await store.clock())
        var directory = RemoteDirectory()
        for subscriber in list { directory.add(subscriber) }
        for user in users {
            guard case .present(let reference, _, _) = user.claim.source else { continue }
            directory.note(reference, user.claim.subscriber)
        }
        var adoptions: [(user: ComparedUser, adoption: Adoption)] = []
        for user in users {
            let plan = AdoptionPlan(for: user.claim, in: directory, rules: PushRules())
            if case .adopt(let adoption) = plan { adoptions.append((user, adoption)) }
        }
        return (users, adoptions, directory)
    }

    @discardableResult
    static func adopt(_ store: Store, _ list: [RemoteSubscriber]) async throws -> [String: AdoptionVerdict] {
        let verdicts = try await store.adopt(try await compared(store, list).adoptions)
        return Dictionary(uniqueKeysWithValues: verdicts.map { ($0.text, $1) })
    }

    static func row(_ fixture: Fixture, _ key: Int) async throws -> String? {
        try await fixture.value(
            """
            SELECT concat_ws(' ', status, subscriber_id, reference, told, admitted_at <= now() - interval '24 hours')
            FROM subscriber_sync.subscriber WHERE user_key = '\(key)'
            """)
    }

    @Test("writes down the pair of each and what SignalWire has, and makes nobody due or new")
    func writes() async throws {
        try await Fixture.run(before: Self.users) { fixture in
            let store = try await fixture.store("operator")
            let list = [
                try Self.listed(1, "a@x", [.firstName: "Ada", .jobTitle: "Eng"]),
                try Self.listed(2, "b@x", [.firstName: "Bobby", .jobTitle: "Boss"]), try Self.listed(9, "z@x"),
            ]
            #expect(try await Self.adopt(store, list) == ["1": .adopted, "2": .adopted])
            let first = try #require(try await Self.row(fixture, 1))
            #expect(first.hasPrefix("synced \(Self.id(1)) a@x {") && first.hasSuffix("} t"), "\(first)")
            #expect(
                try await Self.row(fixture, 2)
                    == "unsynced \(Self.id(2)) b@x {\"job_title\": null, \"first_name\": null} t")
            #expect(try await Self.row(fixture, 3) == nil)
            #expect(try await fixture.value("SELECT max(new_subscribers_24h) FROM subscriber_sync.status") == "0")
            let log = try await SyncLog.read(user: UserKey("2"), after: nil, limit: 10, in: fixture.session)
            #expect(log.map(\.outcome) == ["adopted"] && log.first?.subscriberID == Self.id(2))
            #expect(log.first?.agent == "operator")
            #expect(try await Self.adopt(store, list) == [:], "they are known now")
            try await store.sweepToRest(reason: .periodic)
            try await store.sweepToRest(interval: .zero, reason: .periodic, turns: 1)
            #expect(try await store.claims().isEmpty, "a sweep finds them as they were compared")
            await store.close()
        }
    }

    @Test("lets the next change go out without asking for a new subscriber, and with what differs")
    func pushes() async throws {
        try await Fixture.run(before: Self.users) { fixture in
            let store = try await fixture.store()
            try await Self.adopt(store, [try Self.listed(2, "b@x", [.firstName: "Bobby", .jobTitle: "Boss"])])
            try await fixture.run("UPDATE users SET time_zone = 'UTC' WHERE id = 2")
            let claim = try #require(try await store.claims().first)
            guard case .push(let push) = PushPlan(for: claim, rules: PushRules()) else {
                Issue.record("nothing to push")
                return
            }
            #expect(!push.needsAdmission && claim.subscriber?.text == Self.id(2))
            #expect(push.changed == [.firstName, .jobTitle, .timeZone])
            #expect(push.fields[.jobTitle] == "", "a value that isn't the row's is cleared")
            await store.close()
        }
    }

    @Test("leaves whoever is in hand, changed meanwhile, or has a reference that is another's")
    func fences() async throws {
        try await Fixture.run(before: Self.users) { fixture in
            let store = try await fixture.store()
            let list = [try Self.listed(1, "a@x"), try Self.listed(2, "b@x"), try Self.listed(3, "c@x")]
            _ = try await store.resync([UserKey("1")], isForced: false)
            let claim = try #require(try await store.claims().first)
            #expect(try await Self.adopt(store, [list[0]]) == ["1": .later], "it is in flight")
            _ = try await store.settle([Settlement(releasing: claim)])
            let compared = try await Self.compared(store, list)
            try await fixture.run("UPDATE users SET title = 'x' WHERE id = 2")
            _ = try await store.fold()
            try await fixture.run(
                """
                INSERT INTO subscriber_sync.subscriber (user_key, reference, admitted_at, standing)
                VALUES ('old', 'C@X', now(), 'synced')
                """)
            let verdicts = try await store.adopt(compared.adoptions)
            #expect(verdicts == [UserKey("1"): .adopted, UserKey("2"): .later, UserKey("3"): .taken])
            #expect(try await Self.row(fixture, 1)?.hasPrefix("pending") == true, "who was due stays due")
            try await whileOpen(
                fixture.database.dsn, "SELECT FROM subscriber_sync.subscriber WHERE user_key = '2' FOR UPDATE"
            ) {
                let blocked = try await Self.adopt(store, [list[1]])
                #expect(blocked == ["2": .later], "it waits for nobody")
            }
            #expect(try await Self.adopt(store, [list[1]]) == ["2": .adopted])
            await store.close()
        }
    }

    @Test("makes users due again who were held because they would have been new, and keeps what calls have told")
    func heldAndCalled() async throws {
        try await Fixture.run(before: Self.users) { fixture in
            let store = try await fixture.store()
            try await fixture.run(
                """
                INSERT INTO subscriber_sync.subscriber (user_key, reference, standing, last_error_code, admitted_at, told)
                VALUES ('1', 'a@x', 'held', 'new_subscriber_limit', NULL, '{}'),
                    ('2', 'b@x', 'rejected', 'some', now(), '{"job_title": null}'),
                    ('3', 'C@x', 'rejected', 'some', now(), '{}')
                """)
            let list = [try Self.listed(1, "a@x"), try Self.listed(2, "b@x"), try Self.listed(3, "c@x")]
            #expect(try await Self.adopt(store, list) == ["1": .adopted, "2": .adopted])
            #expect(try await Self.row(fixture, 1)?.hasPrefix("pending \(Self.id(1))") == true)
            #expect(try await Self.row(fixture, 2) == "rejected \(Self.id(2)) b@x {\"job_title\": null} f")
            #expect(try await Self.row(fixture, 3)?.contains(Self.id(3)) == false, "called by another spelling")
            await store.close()
        }
    }

    @Test("waits for an admission that is under way, and sees whom it admitted")
    func waitsForAdmission() async throws {
        try await Fixture.run(before: Self.users) { fixture in
            let store = try await fixture.store()
            let compared = try await Self.compared(store, [try Self.listed(1, "a@x")])
            let rival = """
                SELECT pg_advisory_xact_lock(1937072755, 2);
                INSERT INTO subscriber_sync.subscriber (user_key, reference, admitted_at, standing)
                VALUES ('8', ' A@x', now(), 'synced')
                """
            var verdicts: Task<[UserKey: AdoptionVerdict], any Error>?
            try await whileOpen(fixture.database.dsn, rival) {
                verdicts = Task { try await store.adopt(compared.adoptions) }
                try await eventually("the adoption waits for the lock") {
                    try await fixture.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                        == "1"
                }
            }
            #expect(try await verdicts?.value == [UserKey("1"): .taken])
            await store.close()
        }
    }

    @Test("and a comparison tell who is moving, and whom the list may not show yet")
    func moves() async throws {
        try await Fixture.run(before: Self.users) { fixture in
            let store = try await fixture.store()
            try await Self.adopt(store, [try Self.listed(1, "a@x"), try Self.listed(2, "b@x")])
            try await fixture.run("UPDATE users SET title = 'y' WHERE id = 1")
            try await fixture.run("UPDATE subscriber_sync.subscriber SET admitted_at = now() WHERE user_key = '2'")
            let users = try await Self.compared(store, []).users
            #expect(users.map(\.isMoving) == [true, false, false], "a change waits")
            #expect(users.map(\.isYoung) == [false, true, false])
            let start = try await store.clock()
            let claim = try #require(try await store.claims().first)
            _ = try await store.settle([try #require(Settlement(of: claim, plan: .nothing))])
            let later = try await store.comparedPage(after: nil, limit: 1, since: start)
            #expect(later.map(\.isMoving) == [true], "it was called, or might have been, after the list was begun")
            try await fixture.run(
                "UPDATE subscriber_sync.subscriber SET last_attempt_at = now() - interval '1 hour', synced_at = now()")
            let settled = try await store.comparedPage(after: nil, limit: 1, since: start)
            #expect(settled.map(\.isMoving) == [true], "a call of before was answered after that")
            let quiet = try await store.comparedPage(after: nil, limit: 1, since: try await store.clock())
            #expect(quiet.map(\.isMoving) == [false])
            await store.close()
        }
    }
}

@Suite("Drift") struct DriftTests {
    @Test("makes users due whose fields differ, and pushes just these")
    func marks() async throws {
        try await Fixture.run(before: AdoptTests.users) { fixture in
            let store = try await fixture.store()
            let list = [try AdoptTests.listed(1, "a@x", [.firstName: "Ada", .jobTitle: "Eng"])]
            try await AdoptTests.adopt(store, list)
            let compared = try await AdoptTests.compared(store, list)
            let user = try #require(compared.users.first)
            #expect(try await store.markDrift([(user, [.jobTitle])]) == [UserKey("1")])
            #expect(try await store.markDrift([(user, [.jobTitle])]) == [], "it wants something newer by now")
            let claim = try #require(try await store.claims().first)
            guard case .push(let push) = PushPlan(for: claim, rules: PushRules()) else {
                Issue.record("nothing to push")
                return
            }
            #expect(push.changed == [.jobTitle] && !push.needsAdmission && claim.isResync)
            _ = try await store.settle([
                try SettleTests.settlement(claim, .accepted(try #require(claim.subscriber)))
            ])
            #expect(try await store.row(of: UserKey("1"))?.status == "synced", "one push heals it")
            let log = try await SyncLog.read(user: UserKey("1"), after: nil, limit: 10, in: fixture.session)
            #expect(log.map(\.outcome) == ["adopted", "drift_found", "accepted"])
            #expect(log[1].changedFields == ["job_title"])
            await store.close()
        }
    }

    @Test("in which a subscriber is gone makes the user new, so that the cost brake counts another one")
    func missing() async throws {
        try await Fixture.run(before: AdoptTests.users) { fixture in
            let store = try await fixture.store()
            try await AdoptTests.adopt(store, [try AdoptTests.listed(1, "a@x"), try AdoptTests.listed(2, "b@x")])
            let users = try await AdoptTests.compared(store, []).users
            #expect(try await store.markMissing(Array(users.prefix(2))).count == 2)
            let claims = try await store.claims()
            let requests = try AdmitTests.requests(claims)
            #expect(claims.allSatisfy { $0.admitted == nil && $0.subscriber == nil && $0.told == [:] })
            let verdicts = try await store.admit(requests, limit: 1)
            #expect(verdicts == [UserKey("1"): .admitted, UserKey("2"): .overLimit])
            let log = try await SyncLog.read(user: UserKey("1"), after: nil, limit: 10, in: fixture.session)
            #expect(log.map(\.outcome) == ["adopted", "subscriber_missing"])
            #expect(log.last?.subscriberID == AdoptTests.id(1))
            await store.close()
        }
    }
}
