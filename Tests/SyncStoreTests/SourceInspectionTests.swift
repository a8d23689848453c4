import Postgres
import SyncCore
import SyncStore
import TestSupport
import Testing

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
