import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("The mapping that is written down") struct MappingTests {
    static let table = QualifiedName(schema: "public", name: "users")

    static func mapping(
        reference: String = "email", scope: String? = "deleted_at IS NULL",
        fields: [ProfileField: String] = [.firstName: "first_name", .jobTitle: "title"], profile: QualifiedName? = nil
    ) -> SourceMapping {
        SourceMapping(
            table: table, key: "id", reference: reference, scope: scope, fields: fields, profile: profile)
    }

    static func outline(_ mapping: SourceMapping, _ rules: PushRules = PushRules()) -> MappingOutline {
        MappingOutline(of: mapping, rules: rules)
    }

    /// An agent that beats and says by what it sends.
    struct Speaker {
        let fixture: Fixture
        let name: String
        let mapping: SourceMapping

        @discardableResult
        func speak() async throws -> MappingChange? {
            let store = try await Fixture(
                database: fixture.database, session: fixture.session, mapping: mapping
            ).store(name)
            let identity = AgentIdentity(id: name, host: "h", pid: 1, version: "v")
            _ = try await store.heartbeat(identity, wakeUp: .notify, mapping: outline(mapping), canary: "x")
            let change = try await store.announce(outline(mapping), by: identity)
            await store.close()
            return change
        }

        func leave() async throws {
            try await fixture.run("DELETE FROM subscriber_sync.agent WHERE id = '\(name)'")
        }
    }

    static func control(_ fixture: Fixture) -> FleetControl {
        FleetControl(session: fixture.session, operatorName: "me")
    }

    static func sentences(_ fixture: Fixture) async throws -> [String] {
        try await MappingChange.read(in: fixture.session).differences.map(\.sentence)
    }

    @Test("differs wherever another request would be made, and nowhere else")
    func decides() {
        let old = Self.outline(Self.mapping())
        let others = [
            Self.outline(Self.mapping(reference: "id")), Self.outline(Self.mapping(scope: nil)),
            Self.outline(Self.mapping(scope: "true")), Self.outline(Self.mapping(fields: [.firstName: "first_name"])),
            Self.outline(Self.mapping(fields: [.firstName: "title", .jobTitle: "first_name"])),
            Self.outline(Self.mapping(fields: [.displayName: "first_name", .jobTitle: "title"])),
            Self.outline(Self.mapping(profile: Self.table)), Self.outline(Self.mapping(), PushRules(cleared: .omit)),
            Self.outline(Self.mapping().with(ValueRules(displayName: .fullName))),
            Self.outline(Self.mapping().with(ValueRules(constants: [.companyName: "Acme"]))),
        ]
        #expect(Set(([old] + others).map(\.digest)).count == others.count + 1)
        let same = SourceMapping(
            table: Self.table, key: "id", reference: "email", scope: "deleted_at IS NULL",
            fields: [.jobTitle: "title", .firstName: "first_name"], capture: .polling, updatedAt: "deleted_at")
        #expect(Self.outline(same, PushRules(referenceChange: .new)) == old)
    }

    @Test("leaves no setting out that somebody adds: each is judged here")
    func isWhole() {
        let settings = Mirror(reflecting: Self.mapping()).children.compactMap(\.label)
        #expect(
            settings == [
                "table", "key", "reference", "scope", "fields", "profile",
                // These decide when somebody is looked at, not what is sent.
                "related", "capture", "updatedAt",
                // Each rule is an item of its own.
                "values",
            ])
        // A changed reference is for `identity` to judge, user by user.
        #expect(Mirror(reflecting: PushRules()).children.compactMap(\.label) == ["cleared", "referenceChange"])
    }

    @Test("says what is newly mapped, no longer mapped, and mapped to another column, and shows no value")
    func differs() async throws {
        try await Fixture.run { fixture in
            #expect(try await Speaker(fixture: fixture, name: "a", mapping: Self.mapping()).speak() == nil)
            #expect(try await Self.sentences(fixture).isEmpty, "the first one is what everybody was told by")
            let changed = Self.mapping(
                scope: "title = 'Planted'", fields: [.firstName: "('Planted ' || title)", .timeZone: "time_zone"])
            let change = try await Speaker(fixture: fixture, name: "b", mapping: changed).speak()
            #expect(
                change?.differences.map(\.sentence) == [
                    "source.where is another", "first_name is mapped to an expression instead of first_name",
                    "job_title is no longer mapped, it was to title", "time_zone is newly mapped, to time_zone",
                ])
            #expect(change?.since != nil)
            #expect(try await Speaker(fixture: fixture, name: "b", mapping: changed).speak() == nil, "it is no news")
            #expect(
                try await fixture.value(
                    "SELECT error FROM subscriber_sync.log WHERE outcome = 'mapping_changed' AND agent = 'b'")
                    == change?.summary)
            for table in ["mapping", "mapping_change", "log"] {
                let text = try await fixture.value("SELECT string_agg(t::text, ' ') FROM subscriber_sync.\(table) t")
                #expect(text?.contains("Planted") == false)
            }
        }
    }

    @Test("is no change any more once it is what it was, and asks for a comparison where rows are read otherwise")
    func reverts() async throws {
        try await Fixture.run { fixture in
            let requests = "SELECT count(*) FROM subscriber_sync.sweep_request WHERE reason = 'mapping_changed'"
            try await Speaker(fixture: fixture, name: "a", mapping: Self.mapping()).speak()
            #expect(try await fixture.value(requests) == "0")
            try await Speaker(fixture: fixture, name: "b", mapping: Self.mapping(scope: nil)).speak()
            #expect(try await fixture.value(requests) == "1")
            #expect(try await Self.sentences(fixture) == ["source.where is no longer set"])
            let back = try await Speaker(fixture: fixture, name: "c", mapping: Self.mapping()).speak()
            #expect(back?.differences.isEmpty == true && back?.since == nil)
            #expect(try await Self.control(fixture).acceptMapping() == .needless)
        }
    }

    @Test("is that of the agent started last, until that one is gone, and the others are named")
    func lastWins() async throws {
        try await Fixture.run { fixture in
            let old = Speaker(fixture: fixture, name: "old", mapping: Self.mapping())
            let new = Speaker(fixture: fixture, name: "new", mapping: Self.mapping(scope: nil))
            try await old.speak()
            #expect(try await new.speak() != nil)
            #expect(try await old.speak() == nil, "who was started before says nothing")
            #expect(try await MappingChange.read(in: fixture.session).strays == ["old"])
            #expect(try await Self.control(fixture).acceptMapping() == .mixed)
            #expect(try await Self.sentences(fixture).count == 1)
            try await new.leave()
            #expect(try await old.speak()?.differences.isEmpty == true)
            #expect(try await MappingChange.read(in: fixture.session).strays.isEmpty)
        }
    }

    @Test("is what everybody was told by once that is said, and from then on another change is one")
    func accepts() async throws {
        try await Fixture.run { fixture in
            try await Speaker(fixture: fixture, name: "a", mapping: Self.mapping()).speak()
            try await Speaker(fixture: fixture, name: "a", mapping: Self.mapping(scope: nil)).speak()
            #expect(try await Self.control(fixture).acceptMapping() == .accepted)
            #expect(try await Self.control(fixture).acceptMapping() == .needless)
            #expect(try await MappingChange.read(in: fixture.session) == MappingChange())
            try await Speaker(fixture: fixture, name: "a", mapping: Self.mapping(reference: "notes", scope: nil))
                .speak()
            #expect(try await Self.sentences(fixture) == ["source.reference is notes instead of email"])
            #expect(
                try await fixture.column("SELECT outcome FROM subscriber_sync.log WHERE agent = 'me'")
                    == ["mapping_accepted"])
        }
    }

    @Test("keeps an agent with another one from comparing, which would undo what was written down")
    func sweepsAlone() async throws {
        try await Fixture.run { fixture in
            try await Speaker(fixture: fixture, name: "a", mapping: .users).speak()
            try await Speaker(fixture: fixture, name: "b", mapping: Self.mapping(scope: nil)).speak()
            let store = try await fixture.store()
            let schedule = SweepSchedule(kind: .full, interval: .zero, reason: .periodic)
            let turn = try await store.sweep(schedule, SweepSettings(rate: 1000))
            #expect(turn == .resting(SweepStep.longestWait))
            try await Speaker(fixture: fixture, name: "c", mapping: .users).speak()
            #expect(try await store.sweep(schedule, SweepSettings(rate: 1000)) == .began(.baseline))
            await store.close()
        }
    }
}
