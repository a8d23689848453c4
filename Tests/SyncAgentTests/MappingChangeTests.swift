import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("A changed mapping") struct MappingChangeTests {
    /// The job title from another column.
    static let changed = SourceMapping(
        table: QualifiedName(schema: "public", name: "users"), key: "id", reference: "email",
        scope: "deleted_at IS NULL",
        fields: [.firstName: "first_name", .jobTitle: "notes", .timeZone: "time_zone"])

    /// The same database and sandbox, for agents with the other mapping.
    static func other(_ bench: Bench, _ mapping: SourceMapping = changed) -> Bench {
        let fixture = Fixture(
            database: bench.fixture.database, session: bench.fixture.session, mapping: mapping)
        return Bench(fixture: fixture, sandbox: bench.sandbox)
    }

    static let titles =
        "INSERT INTO users (email, title, notes) SELECT 'u' || i || '@x', 'T', 'N' FROM generate_series(1, 9) i"

    static func title(_ bench: Bench, _ user: Int) -> String? {
        bench.sandbox.subscriber(reference: "u\(user)@x")?.profile["job_title"]
    }

    @Test("pushes nobody by itself, is used for users who change, and reaches all by a resync")
    func isDeliberate() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run(Self.titles)
            #expect(try await bench.runUntilIdle() == .idle)
            let other = Self.other(bench)
            try await other.fixture.installCapture()
            #expect(try await other.runUntilIdle("other") == .idle)
            #expect(bench.sandbox.statistics().requests == 9)
            var status = try await FleetStatus.read(in: bench.fixture.session)
            #expect(
                status.mapping.differences.map(\.sentence) == ["job_title is mapped to notes instead of title"])
            #expect(status.sweeps.endedReason == "mapping_changed" && status.sweeps.driftFound == 0)

            try await bench.fixture.run("UPDATE users SET notes = 'M' WHERE id = 3")
            #expect(try await other.runUntilIdle("other") == .idle)
            #expect(Self.title(bench, 3) == "M" && Self.title(bench, 4) == "T")
            #expect(bench.sandbox.statistics().requests == 10)

            let store = try await other.fixture.store()
            _ = try await store.resync((1...9).map { UserKey(String($0)) }, isForced: false)
            #expect(try await BrakeTests.control(bench).acceptMapping() == .accepted)
            #expect(try await other.runUntilIdle("other") == .idle)
            #expect((1...9).map { Self.title(bench, $0) } == ["N", "N", "M"] + [String](repeating: "N", count: 6))
            status = try await FleetStatus.read(in: bench.fixture.session)
            #expect(status.mapping == MappingChange())
            await store.close()
        }
    }

    @Test("doesn't flap between agents that poll by the old one and the new one, and says who is behind")
    func isStable() async throws {
        let polled = SourceMapping.users.polled()
        try await Bench.run(mapping: polled) { bench in
            let polls: @Sendable (inout AgentSettings) -> Void = {
                $0.sweeping.mode = .poll
                $0.dispatcher.pollInterval = .milliseconds(50)
            }
            try await bench.fixture.run(Self.titles)
            #expect(try await bench.runUntilIdle(change: polls) == .idle)
            let store = try await bench.fixture.store()
            _ = try await store.resync((1...9).map { UserKey(String($0)) }, isForced: false)
            #expect(try await bench.runUntilIdle(change: polls) == .idle)
            #expect(bench.sandbox.statistics().requests == 9)
            let other = Self.other(
                bench,
                SourceMapping(
                    table: polled.table, key: polled.key, reference: polled.reference, scope: polled.scope,
                    fields: Self.changed.fields, capture: .polling))
            try await bench.withAgent("old", change: polls) { _ in
                try await other.withAgent("new", change: polls) { _ in
                    for _ in 1...10 { try await Self.sweepEnds(bench) }
                    let status = try await FleetStatus.read(in: bench.fixture.session)
                    #expect(status.mapping.strays == ["old"])
                    #expect(bench.sandbox.statistics().requests == 9, "\(status.mapping)")
                    try await bench.fixture.run("UPDATE users SET notes = 'M', title = 'U' WHERE id = 3")
                    await eventually("the change arrives") { bench.sandbox.statistics().requests == 10 }
                    for _ in 1...10 { try await Self.sweepEnds(bench) }
                    #expect(bench.sandbox.statistics().requests == 10)
                }
            }
            await store.close()
        }
    }

    /// Waits until one more sweep has ended.
    private static func sweepEnds(_ bench: Bench) async throws {
        let ended = "SELECT finished_at FROM subscriber_sync.sweep WHERE kind = 'full'"
        let before = try await bench.fixture.value(ended)
        try await eventually(within: .seconds(10), "a sweep ends") { try await bench.fixture.value(ended) != before }
    }
}
