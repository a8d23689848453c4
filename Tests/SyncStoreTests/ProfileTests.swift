import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("Profiles that span tables") struct ProfileTests {
    static let companies = """
        CREATE TABLE public.companies (id int PRIMARY KEY, name text, budget int);
        INSERT INTO public.companies VALUES (1, 'Acme', 5), (2, 'Blue', 6);
        ALTER TABLE public.users ADD COLUMN company_id int
        """
    static let expression = "(SELECT c.name FROM public.companies c WHERE c.id = company_id)"

    static func mapping(
        fields: [ProfileField: String], profile: String? = nil, related: [RelatedTable] = []
    ) -> SourceMapping {
        let old = SourceMapping.users
        return SourceMapping(
            table: old.table, key: old.key, reference: old.reference, scope: old.scope, fields: fields,
            profile: profile.map { QualifiedName(schema: "public", name: $0) }, related: related)
    }

    /// What a claim says of each user.
    static func profiles(_ store: Store) async throws -> [String] {
        try await store.claims().map { claim in
            switch claim.source {
            case .present(_, let profile, _):
                "\(claim.user): "
                    + profile.values.sorted { $0.key < $1.key }.map { "\($0.rawValue)=\($1)" }.joined(separator: " ")
            case .withoutProfile: "\(claim.user): no profile"
            case .outOfScope: "\(claim.user): out"
            case .deleted: "\(claim.user): gone"
            }
        }
    }

    @Test("are read by an expression, and the columns that it reads of the users table are watched")
    func readsExpressions() async throws {
        let mapping = Self.mapping(fields: [.companyName: Self.expression, .jobTitle: "(upper(title))"])
        try await Fixture.run(mapping: mapping, before: Self.companies) { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email, title, company_id) VALUES (1, 'a@x', 'boss', 1), (2, 'b@x', NULL, NULL)")
            let store = try await fixture.store()
            #expect(try await Self.profiles(store) == ["1: job_title=BOSS company_name=Acme", "2: "])
            try await fixture.run("UPDATE users SET company_id = 2 WHERE id = 2; UPDATE users SET notes = 'n'")
            #expect(try await CaptureTests.changes(fixture) == ["2"])
            try await fixture.run("UPDATE users SET title = 'x' WHERE id = 1; UPDATE users SET first_name = 'F'")
            #expect(try await CaptureTests.changes(fixture) == ["1"])
            try await CaptureHealthTests.expectIntact(fixture)
            await store.close()
        }
    }

    static let view = """
        ;CREATE VIEW public.names AS SELECT u.id, u.title, c.name FROM public.users u
            JOIN public.companies c ON c.id = u.company_id;
        CREATE VIEW public.user_profiles AS SELECT id, title, name AS company FROM public.names WHERE title <> 'none'
        """

    @Test("are read from a view, and watched through the views behind it")
    func readsViews() async throws {
        let mapping = Self.mapping(
            fields: [.companyName: "company", .jobTitle: "title", .displayName: "(company || ' ' || email)"],
            profile: "user_profiles")
        try await Fixture.run(mapping: mapping, before: Self.companies + Self.view) { fixture in
            try await fixture.run(
                "INSERT INTO users (id, email, title, company_id) VALUES (1, 'a@x', 'boss', 1), (2, 'b@x', 'c', NULL)")
            let store = try await fixture.store()
            #expect(
                try await Self.profiles(store)
                    == ["1: display_name=Acme a@x job_title=boss company_name=Acme", "2: no profile"])
            try await fixture.run("UPDATE users SET company_id = 2 WHERE id = 2")
            #expect(try await CaptureTests.changes(fixture) == ["2"])
            try await fixture.run("UPDATE users SET first_name = 'F', notes = 'n'")
            #expect(try await CaptureTests.changes(fixture) == [])
            let seen = try await store.page(after: nil, limit: 10, filter: "id = 2")
            #expect(seen.count == 1)
            if case .present(_, let profile, _)? = seen.first?.source {
                #expect(profile.values[.companyName] == "Blue")
            } else {
                Issue.record("no profile")
            }
            await store.close()
        }
    }

    @Test("of users without a row in the profile are held, and change what SignalWire has by nothing")
    func holdsWithoutProfile() async throws {
        let mapping = Self.mapping(fields: [.companyName: "company"], profile: "user_profiles")
        try await Fixture.run(mapping: mapping, before: Self.companies + Self.view) { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            let store = try await fixture.store()
            let claim = try #require(try await store.claims().first)
            let plan = PushPlan(for: claim, rules: PushRules())
            _ = try await store.settle([try #require(Settlement(of: claim, plan: plan))])
            #expect(
                try await fixture.value("SELECT standing || ' ' || last_error_code FROM subscriber_sync.subscriber")
                    == "held missing_profile")
            // Once there is one, a sweep sees that.
            try await fixture.run(
                "ALTER TABLE users DISABLE TRIGGER USER; UPDATE users SET title = 'x', company_id = 1")
            try await store.sweepToRest()
            #expect(try await Self.profiles(store) == ["1: company_name=Acme"])
            await store.close()
        }
    }

    static func refusal(_ mapping: SourceMapping, _ extra: String = "") async throws -> StoreError? {
        try await SourceInspectionTests.refusal(table: Fixture.usersTable + ";" + companies + extra) { _ in mapping }
    }

    @Test("are refused with a sentence and a hint: expressions that aren't one value a row")
    func refusesExpressions() async throws {
        let wrong = [
            ("(SELECT c.name FROM companies c WHERE c.id = company_id)", "need their schema"),
            ("(max(title))", "GROUP BY"), ("(regexp_split_to_table(title, ','))", "CASE"),
            ("(titel)", "title"), ("(title || )", "syntax"), ("(title) || (", "has no column"),
        ]
        for (text, says) in wrong {
            let error = try await Self.refusal(Self.mapping(fields: [.companyName: text]))
            #expect(error?.code == .mismatch && error?.hint != nil, "\(text)")
            let isSaid = "\(error?.message ?? "") \(error?.hint ?? "")".contains(says)
            #expect(isSaid, "\(text): \(error?.message ?? "")")
        }
    }

    @Test("are refused with a sentence and a hint: a profile that isn't there, lacks a column, or isn't one row a user")
    func refusesProfiles() async throws {
        let fields: [ProfileField: String] = [.companyName: "company"]
        let missing = try await Self.refusal(Self.mapping(fields: fields, profile: "profiles"))
        #expect(missing?.message == "source.profile names public.profiles, which is no table that this role can see.")
        let column = try await Self.refusal(
            Self.mapping(fields: [.companyName: "firm"], profile: "user_profiles"), Self.view)
        #expect(column?.message == "public.user_profiles has no column firm.")
        let several = try await Self.refusal(
            Self.mapping(fields: fields, profile: "jobs"), "; CREATE TABLE public.jobs (id bigint, company text)")
        #expect(several?.message.contains("is not unique") == true)
        let type = try await Self.refusal(
            Self.mapping(fields: fields, profile: "jobs"),
            "; CREATE VIEW public.jobs AS SELECT ''::text AS id, '' AS company")
        #expect(type?.message.contains("can't be compared") == true)
    }
}
