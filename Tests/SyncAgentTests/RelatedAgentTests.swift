import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("An agent with related tables") struct RelatedAgentTests {
    static let mapping = SourceMapping(
        table: SourceMapping.users.table, key: "id", reference: "email", scope: nil,
        fields: [.companyName: "(SELECT c.name FROM public.companies c WHERE c.id = company_id)"],
        related: [
            RelatedTable(
                table: QualifiedName(schema: "public", name: "companies"), key: "id", columns: ["name"],
                users: "company_id")
        ])
    static let tables = """
        CREATE TABLE public.companies (id int PRIMARY KEY, name text); ALTER TABLE public.users ADD company_id int;
        CREATE INDEX ON public.users (company_id); INSERT INTO public.companies VALUES (1, 'Old')
        """

    @Test("isn't idle before every user is pushed who refers to a changed row")
    func expandsBeforeIdle() async throws {
        try await Bench.run(before: Self.tables, mapping: Self.mapping) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (id, email, company_id) SELECT i, 'u' || i || '@x', 1 FROM generate_series(1, 30) i")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run("UPDATE companies SET name = 'New'")
            #expect(try await bench.runUntilIdle() == .idle)
            let companies = (1...30).map { bench.sandbox.subscriber(reference: "u\($0)@x")?.profile["company_name"] }
            #expect(companies.allSatisfy { $0 == "New" })
            #expect(try await bench.fixture.value("SELECT count(*) FROM subscriber_sync.related_change") == "0")
        }
    }
}
