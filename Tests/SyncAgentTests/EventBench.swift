import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

/// What one event at the source comes to, until everything is at rest: the tests of the table in `Events`.
struct EventBench: Sendable {
    let bench: Bench
    let rules: PushRules

    /// Two users are there and synced: 1 has the reference `a@x`, 2 has `b@x`.
    static func run(
        _ rules: PushRules = PushRules(), _ body: @Sendable (EventBench) async throws -> Void
    ) async throws {
        try await Bench.run { bench in
            let events = EventBench(bench: bench, rules: rules)
            try await events.happens(
                "INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'Eng'), (2, 'b@x', 'Dr')")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2)
            try await body(events)
            #expect(bench.sandbox.statistics().overlaps == 0)
        }
    }

    static func run(
        onReferenceChange policy: PushRules.ReferenceChange, _ body: @Sendable (EventBench) async throws -> Void
    ) async throws {
        try await run(PushRules(referenceChange: policy), body)
    }

    /// The application commits, and an agent works until nothing is due.
    func happens(_ sql: String) async throws {
        try await bench.fixture.run("SET search_path = public; " + sql)
        try await rests()
    }

    func rests() async throws {
        let rules = rules
        let end = try await bench.runUntilIdle { $0.rules = rules }
        #expect(end == .idle)
    }

    /// Each user's key, status, and either why they are held or, by its reference, the subscriber that is theirs.
    func states() async throws -> [String] {
        let rows = try await bench.fixture.column(
            """
            SELECT user_key || ' ' || status || ' '
                || CASE WHEN standing IN ('held', 'rejected') THEN last_error_code ELSE coalesce(subscriber_id::text, '-') END
            FROM subscriber_sync.subscriber ORDER BY user_key
            """)
        return rows.compactMap { $0 }.map { row in
            let name = references.first {
                row.hasSuffix(bench.sandbox.subscriber(reference: $0)?.subscriberID ?? "none")
            }
            guard let name, let id = bench.sandbox.subscriber(reference: name)?.subscriberID else { return row }
            return row.replacing(id, with: name)
        }
    }

    private let references = ["a@x", "b@x", "c@x", "d@x"]

    /// How many subscribers there ever were.
    var created: Int { bench.sandbox.statistics().created }
    var calls: Int { bench.sandbox.statistics().requests }

    func title(_ reference: String) -> String? { bench.sandbox.subscriber(reference: reference)?.profile["job_title"] }

    /// The references of before, by user.
    func former() async throws -> [String] {
        try await bench.fixture.column("SELECT user_key || ' ' || reference FROM subscriber_sync.pair ORDER BY 1")
            .compactMap { $0 }
    }

    /// Takes the references that users have now, as an operator does.
    func accept(_ references: [String: String]) async throws {
        let store = try await bench.fixture.store("operator")
        _ = try await store.acceptReferences(
            try references.map { (UserKey($0), try #require(Reference($1))) })
        await store.close()
        try await rests()
    }

    func told(_ user: String) async throws -> String? {
        try await bench.fixture.value("SELECT told::text FROM subscriber_sync.subscriber WHERE user_key = '\(user)'")
    }

    init(bench: Bench, rules: PushRules) {
        self.bench = bench
        self.rules = rules
    }
}
