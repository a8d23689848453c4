import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("Related tables") struct RelatedTests {
    static let companies = RelatedTable(
        table: QualifiedName(schema: "public", name: "companies"), key: "id", columns: ["name"], users: "company_id")
    static let mapping = ProfileTests.mapping(
        fields: [.companyName: ProfileTests.expression, .jobTitle: "title"], related: [companies])

    static func run(
        mapping: SourceMapping = mapping, before: String = "", comparison: CaptureDefinition.Comparison = .columns,
        _ body: @Sendable (Fixture, Store) async throws -> Void
    ) async throws {
        let index = "; CREATE INDEX ON public.users (company_id);"
        try await Fixture.run(
            mapping: mapping, before: ProfileTests.companies + index + before, comparison: comparison
        ) { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email, company_id) SELECT i, 'u' || i, 1 + i % 2 FROM generate_series(1, 7) i")
            let store = try await fixture.store()
            _ = try await store.claims()
            try await body(fixture, store)
            await store.close()
        }
    }

    static func waiting(_ fixture: Fixture) async throws -> [String?] {
        try await fixture.column(
            "SELECT relation || ' ' || related_key FROM subscriber_sync.related_change ORDER BY changed_at, related_key"
        )
    }

    @Test(
        "append one row a change, whatever the number of users, and the agent makes users of it",
        arguments: CaptureDefinition.Comparison.allCases)
    func appends(comparison: CaptureDefinition.Comparison) async throws {
        try await Self.run(comparison: comparison) { fixture, store in
            try await fixture.run("UPDATE companies SET name = 'New' WHERE id = 1; UPDATE companies SET budget = 7")
            #expect(try await Self.waiting(fixture) == [#""public"."companies" 1"#])
            #expect(try await CaptureTests.changes(fixture) == [])
            #expect(try await store.expandRelated() == 4)
            #expect(try await Self.waiting(fixture) == [])
            #expect(
                try await fixture.column("SELECT user_key FROM subscriber_sync.change ORDER BY 1") == ["2", "4", "6"])
            guard case .present(_, let profile, _)? = try await store.look(at: UserKey("2"))?.source else {
                Issue.record("no profile")
                return
            }
            #expect(profile.values[.companyName] == "New")
            #expect(try await store.expandRelated() == 0)

            try await fixture.run("DELETE FROM companies WHERE id = 2; INSERT INTO companies VALUES (3, 'C')")
            try await fixture.run("UPDATE companies SET id = 4 WHERE id = 1")
            #expect(try await Self.waiting(fixture).count == 4, "both keys of a changed key")
            #expect(try await store.expandRelated() == 4 + 7)
            try await CaptureHealthTests.expectIntact(fixture, mapping: Self.mapping)
        }
    }

    @Test("keep the time of the change, and go on from where they were where there are many users")
    func goesOn() async throws {
        try await Self.run { fixture, store in
            try await fixture.run("UPDATE companies SET name = 'New' WHERE id = 2")
            let statement = try #require(store.statements.expandRelated)
            for expected in [3, 3, 1] {
                #expect(try await store.query(statement, [.bigint(2)]) == [expected])
            }
            #expect(try await Self.waiting(fixture) == [])
            #expect(
                try await fixture.column("SELECT user_key FROM subscriber_sync.change ORDER BY 1")
                    == ["1", "3", "5", "7"])
            #expect(try await fixture.value("SELECT count(DISTINCT changed_at) FROM subscriber_sync.change") == "1")
        }
    }

    @Test("are passed over where another agent has them in hand, and lose nothing where it dies")
    func skipsLocked() async throws {
        try await Self.run { fixture, store in
            try await fixture.run("UPDATE companies SET name = 'New' WHERE id = 2")
            try await whileOpen(
                fixture.database.dsn, "SELECT * FROM subscriber_sync.related_change FOR UPDATE"
            ) {
                let count = try await store.expandRelated()
                #expect(count == 0)
            }
            #expect(try await store.expandRelated() == 5)
        }
    }

    @Test("ask for a sweep at TRUNCATE, and where the key column has another name")
    func asksForSweep() async throws {
        try await Self.run { fixture, _ in
            try await fixture.run("TRUNCATE companies")
            try await fixture.run(
                "ALTER TABLE companies RENAME id TO nr; INSERT INTO companies (nr, name) VALUES (9, 'x')")
            #expect(try await CaptureHardTests.requests(fixture) == ["truncate", "changes_without_key"])
            #expect(try await Self.waiting(fixture) == [])
        }
    }

    @Test("may be the users table itself, and one table by two columns")
    func refersToItself() async throws {
        let users = QualifiedName(schema: "public", name: "users")
        let mapping = ProfileTests.mapping(
            fields: [.displayName: "(SELECT m.first_name FROM public.users m WHERE m.id = users.company_id)"],
            related: [
                RelatedTable(table: users, key: "id", columns: ["first_name"], users: "company_id"),
                RelatedTable(table: users, key: "id", columns: ["first_name"], users: "boss_id"),
            ])
        try await Self.run(mapping: mapping, before: "ALTER TABLE users ADD boss_id bigint") { fixture, store in
            try await fixture.run(
                "UPDATE users SET boss_id = 1 WHERE id = 4; DELETE FROM subscriber_sync.related_change")
            _ = try await CaptureTests.changes(fixture)
            try await fixture.run("UPDATE users SET first_name = 'B' WHERE id = 1")
            #expect(try await store.expandRelated() == 4, "4 refers to it twice")
            #expect(try await CaptureTests.changes(fixture) == ["1", "2", "4", "6"])
        }
    }

    @Test("are covered by watch(), unwatch(), the health of capture and uninstall")
    func areCovered() async throws {
        try await Self.run { fixture, _ in
            #expect(try await fixture.value("SELECT subscriber_sync.unwatch()") == "9")
            try await CaptureHealthTests.expectBroken(
                fixture, "public.companies has lost all triggers of ours.", mapping: Self.mapping)
            try await fixture.run("ALTER TABLE companies DROP COLUMN name; SELECT subscriber_sync.watch()")
            try await CaptureHealthTests.expectIntact(fixture, mapping: Self.mapping)
            try await fixture.run("UPDATE companies SET budget = 1; INSERT INTO companies VALUES (5)")
            #expect(try await Self.waiting(fixture) == [#""public"."companies" 5"#])
            try await fixture.run("ALTER TABLE companies RENAME TO firms")
            try await CaptureHealthTests.expectBroken(
                fixture, "The triggers are on public.firms now; public.companies is another table or none.",
                mapping: Self.mapping)
            let uninstaller = Uninstaller(session: fixture.session)
            #expect(try await uninstaller.plan().count == 10)
            try await uninstaller.apply(try await uninstaller.plan())
            try await fixture.run("UPDATE firms SET budget = 2")
        }
    }

    @Test("that aren't named though profiles are read from them, or have no index, are noted by migrate")
    func notes() async throws {
        let mapping = ProfileTests.mapping(fields: [.companyName: ProfileTests.expression])
        try await Fixture.run(mapping: mapping, before: ProfileTests.companies) { fixture in
            let store = try await fixture.store()
            let installer = CaptureInstaller(session: fixture.session)
            let work = try await installer.plan(for: store.source, comparison: .columns, notification: .guarded)
            #expect(work.notes.count == 1 && work.notes[0].hasPrefix("public.companies is read for profiles"))
            let source = try await SourceTable.find(Self.mapping, in: fixture.session)
            let other = try await installer.plan(for: source, comparison: .columns, notification: .guarded)
            #expect(other.notes.count == 1 && other.notes[0].hasPrefix("public.users has no index on company_id"))
            await store.close()
        }
    }

    @Test("find their users by the index among 200,000")
    func usesIndex() async throws {
        try await Self.run { fixture, store in
            try await fixture.run(
                """
                ALTER TABLE users DISABLE TRIGGER USER;
                INSERT INTO users (id, email, company_id) SELECT i, 'u' || i, i % 5000 FROM generate_series(10, 200000) i;
                ANALYZE
                """)
            let text = try #require(store.statements.expandRelated).text
            try await withSession(fixture.database.dsn) { session in
                try await session.executeScript("PREPARE expand AS \(text)", name: "prepare")
                let plan = try await session.query(
                    Statement<String>("explain", "EXPLAIN (COSTS OFF) EXECUTE expand(2000)") {
                        row throws(PostgresError) in try row.text(0)
                    })
                #expect(!plan.contains { $0.contains("Seq Scan on users") }, "\(plan.joined(separator: "\n"))")
            }
        }
    }

    @Test("are refused with a sentence and a hint where something is missing or can't be compared")
    func refuses() async throws {
        let cases: [(RelatedTable, String)] = [
            (
                RelatedTable(
                    table: QualifiedName(schema: nil, name: "firms"), key: "id", columns: ["name"], users: "company_id"),
                "capture.related names firms, which is no table that this role can see."
            ),
            (
                RelatedTable(table: Self.companies.table, key: "nr", columns: ["name"], users: "company_id"),
                "public.companies has no column nr."
            ),
            (
                RelatedTable(table: Self.companies.table, key: "id", columns: ["name"], users: "firm_id"),
                "public.users has no column firm_id."
            ),
            (
                RelatedTable(table: Self.companies.table, key: "id", columns: ["name"], users: "email"),
                "The column email of public.users can't be compared with id of public.companies: "
            ),
        ]
        for (related, sentence) in cases {
            let error = try await ProfileTests.refusal(
                ProfileTests.mapping(fields: [.jobTitle: "title"], related: [related]))
            #expect(error?.message.hasPrefix(sentence) == true, "\(error?.message ?? "nothing")")
            #expect(error?.hint != nil)
        }
    }
}
