import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("A mapping that doesn't fit the database") struct SourceInspectionTests {
    /// What opening a store says about a mapping.
    static func refusal(
        table: String = Fixture.usersTable, _ change: (SourceMapping) -> SourceMapping
    ) async throws -> StoreError? {
        let mapping = change(.users)
        let box = Box()
        try await withDatabase { database in
            let session = Session(ConnectionSettings(dsn: database.dsn, applicationName: "test"))
            try await session.executeScript(table, name: "table")
            _ = try await Migrator(session: session).migrate()
            do {
                _ = try await Store.open(session, mapping: mapping, lease: .seconds(60), agent: "a")
            } catch let error as StoreError {
                await box.set(error)
            }
            await session.close()
        }
        return await box.error
    }

    actor Box {
        var error: StoreError?
        func set(_ error: StoreError) { self.error = error }
    }

    static func mapping(
        _ old: SourceMapping, table: QualifiedName? = nil, key: String? = nil, reference: String? = nil,
        scope: String? = nil, fields: [ProfileField: String]? = nil
    ) -> SourceMapping {
        SourceMapping(
            table: table ?? old.table, key: key ?? old.key, reference: reference ?? old.reference,
            scope: scope ?? old.scope, fields: fields ?? old.fields)
    }

    @Test("is refused with a sentence and a hint: a table that isn't there")
    func missingTable() async throws {
        let error = try await Self.refusal { Self.mapping($0, table: QualifiedName(schema: "public", name: "Users")) }
        #expect(error?.code == .mismatch)
        #expect(error?.message == "There is no table public.Users that this role can see.")
        #expect(error?.hint != nil)
    }

    @Test("is refused with a sentence and a hint: a column that isn't there, and the one that is meant")
    func missingColumn() async throws {
        let error = try await Self.refusal { Self.mapping($0, fields: [.jobTitle: "Title"]) }
        #expect(error?.message == "public.users has no column Title.")
        #expect(error?.hint?.contains("a column title") == true)
        let other = try await Self.refusal { Self.mapping($0, reference: "mail") }
        #expect(other?.message == "public.users has no column mail.")
        #expect(other?.hint?.contains("email") == true)
    }

    @Test("is refused with a sentence and a hint: a key that may be null or isn't unique")
    func badKeys() async throws {
        let nullable = try await Self.refusal { Self.mapping($0, key: "email") }
        #expect(nullable?.message.contains("may be null") == true)
        let table = Fixture.usersTable.replacing("notes text", with: "notes text NOT NULL")
        let duplicate = try await Self.refusal(table: table) { Self.mapping($0, key: "notes") }
        #expect(duplicate?.message.contains("is not unique") == true)
    }

    @Test(
        "is refused with a sentence and a hint: a key whose text isn't one for each value",
        arguments: [
            "char(4)", "boolean", "date", "timestamp", "timestamptz", "real", "double precision", "bytea", "numeric",
            "numeric(9, 2)", "jsonb", "money", "public.fraction", "interval", "name",
        ])
    func badKeyTypes(type: String) async throws {
        let error = try await Self.refusal(
            table: "CREATE DOMAIN public.fraction AS numeric(9, 2); " + Self.table(keyed: type)
        ) { Self.mapping($0, key: "id") }
        #expect(error?.code == .mismatch)
        #expect(
            error?.message.contains("The key id of public.users is of type ") == true, "\(error?.message ?? "none")")
        #expect(error?.hint?.contains("numeric(n, 0)") == true)
    }

    @Test(
        "fits where its key is of a type with one text for each value, and finds it however it is written",
        arguments: [
            ("smallint", "7", [" 7", "07", "+7"]), ("integer", "-7", ["-07"]), ("bigint", "7", ["007"]),
            (
                "uuid", "aaaaaaaa-0000-4000-8000-000000000001",
                ["AAAAAAAA-0000-4000-8000-000000000001", "{aaaaaaaa-0000-4000-8000-000000000001}"]
            ),
            ("text", "Cite", []), ("varchar(4)", "Cite", []), ("public.citext", "Cite", ["cite", "CITE"]),
            ("public.mood", "sad", []), ("numeric(9, 0)", "7", ["7.0", "07"]), ("public.outer_key", "abc", []),
            ("text COLLATE public.careless", "Cite", ["CITE"]), ("text COLLATE \"C\"", "Cite", []),
        ])
    func goodKeyTypes(type: String, key: String, others: [String]) async throws {
        let types = """
            CREATE EXTENSION citext SCHEMA public; CREATE TYPE public.mood AS ENUM ('happy', 'sad');
            CREATE DOMAIN public.inner_key AS varchar(3); CREATE DOMAIN public.outer_key AS public.inner_key;
            """
        let collation = """
            CREATE COLLATION public.careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            """
        // Some builds of PostgreSQL have no ICU, and then no such collation.
        if type.contains("careless"), try await !Self.accepts(collation) { return }
        let before = types + (type.contains("careless") ? collation : "")
        try await Fixture.run(table: before + Self.table(keyed: type)) { fixture in
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email) VALUES ('\(key)', 'a@x')")
            #expect(try await store.claims().map(\.user.text) == [key])
            for text in others + [key] { #expect(try await store.canonicalKey(of: text) == UserKey(key), "\(text)") }
            for text in ["abcdef", "8", "", key + "x", "7.4", " Cite"] where !others.contains(text) {
                #expect(try await store.canonicalKey(of: text) == nil, "\(text)")
            }
            #expect(try await store.page(after: nil, limit: 10, filter: "true -- all").map(\.user.text) == [key])
            #expect(try await store.page(after: UserKey(key), limit: 10, filter: nil).isEmpty)
            #expect(
                try await store.resync([UserKey(key)] + others.map(UserKey.init), isForced: false) == [UserKey(key)])
            try await fixture.run("SET enable_seqscan = off")
            let plan = try await fixture.column(
                "EXPLAIN SELECT FROM public.users WHERE \(store.source.isRow(ofKey: "'\(key)'"))")
            #expect(plan.contains { $0?.contains("Index Cond") == true }, "\(plan)")
            await store.close()
        }
    }

    /// Whether the server can do what a statement asks for at all.
    static func accepts(_ statement: String) async throws -> Bool {
        try await withDatabase { database in
            let session = Session(database.settings)
            let isAccepted = (try? await session.executeScript(statement, name: "feature")) != nil
            await session.close()
            return isAccepted
        }
    }

    @Test("of citext leaves no second user behind where a key changes its case alone")
    func recased() async throws {
        try await Fixture.run(table: "CREATE EXTENSION citext SCHEMA public; " + Self.table(keyed: "public.citext")) {
            fixture in
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email) VALUES ('b', 'b@x'), ('A', 'a@x'), ('c', 'c@x')")
            _ = try await store.claims()
            try await fixture.run("UPDATE users SET id = 'a' WHERE id = 'A'")
            let found = try await store.look(at: UserKey("A"))?.source
            guard case .deleted = found else {
                Issue.record("the old key is still somebody")
                return
            }
            var keys: [String] = []
            while let claim = try await store.page(after: keys.last.map(UserKey.init), limit: 1, filter: nil).first {
                keys.append(claim.user.text)
                try #require(keys.count < 9)
            }
            #expect(keys == ["a", "b", "c"])
            await store.close()
        }
    }

    static func table(keyed type: String) -> String {
        Fixture.usersTable.replacing(
            "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", with: "id \(type) PRIMARY KEY")
    }

    @Test("is refused with a sentence and a hint: a condition that leaves its brackets, or isn't one")
    func conditions() async throws {
        let conditions = [
            "true) OR (true", "true], ARRAY[true", "true, true", "true; SELECT 1", "true /*", "'", "$1 IS NULL", "id",
            "count(*) > 1", "nope", "1/0 = 1", "(true", "", "-- nothing", "lower_case(email)",
        ]
        for condition in conditions {
            let error = try await Self.refusal { Self.mapping($0, scope: condition) }
            #expect(
                error?.message.hasPrefix("source.where is not a condition on public.users: ") == true, "\(condition)")
            #expect(error?.message.contains("Statement") == false && error?.hint?.contains("schema's name") == true)
        }
        for condition in [
            "true -- all", "/* all */ true", "(true) OR (true)", "id = ANY (ARRAY[1])", "email = ')' OR true",
        ] {
            let error = try await Self.refusal { Self.mapping($0, scope: condition) }
            #expect(error == nil, "\(condition): \(error?.message ?? "")")
        }
    }

    @Test("is refused with a sentence and a hint: a view, and a condition that isn't one")
    func viewAndCondition() async throws {
        let view = try await Self.refusal(
            table: Fixture.usersTable + "; CREATE VIEW public.people AS SELECT * FROM public.users"
        ) {
            Self.mapping($0, table: QualifiedName(schema: "public", name: "people"))
        }
        #expect(view?.message.contains("is a view") == true)
        let scope = try await Self.refusal { Self.mapping($0, scope: "gone IS NULL") }
        #expect(scope?.message.contains("source.where") == true)
        let syntax = try await Self.refusal { Self.mapping($0, scope: "id IN (") }
        #expect(syntax?.message.contains("source.where") == true)
    }
}
