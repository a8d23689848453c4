import Testing

@testable import SyncCommands

@Suite("capture.related") struct RelatedTablesTests {
    static let companies = Settings.Related(
        table: TableName(schema: "public", name: "companies"), key: "id", columns: ["name"], users: "company_id")

    @Test("reads alike from a YAML list, a flow list, JSON, a variable and a flag")
    func reads() throws {
        let block = """
            capture:
              related:
                - table: public.companies
                  key: id
                  columns: [name]
                  users: company_id
            """
        let flow = "[{table: public.companies, columns: [name], users: company_id}]"
        let json = #"[{"table": "public.companies", "key": "id", "columns": ["name"], "users": "company_id"}]"#
        let fixtures = [
            SettingsFixture(yaml: block), SettingsFixture(yaml: "capture: {related: \(flow)}"),
            SettingsFixture(environment: ["CAPTURE_RELATED": flow]),
            SettingsFixture(environment: ["CAPTURE_RELATED": json]),
            SettingsFixture(["--set", "capture.related=\(json)"]),
        ]
        for fixture in fixtures {
            #expect(try fixture.load().settings.capture.related == [Self.companies])
        }
        #expect(try SettingsFixture().load().settings.capture.related == [])
        #expect(try SettingsFixture(yaml: "capture: {related: []}").load().settings.capture.related == [])
    }

    @Test("reads back from its own text, whatever the names are")
    func readsBack() throws {
        let odd = Settings.Related(
            table: TableName(schema: "My Schema", name: #"a.b"c"#), key: "the id", columns: ["n, 1", "null", "\\"],
            users: "#x")
        let syntax = ValueSyntax<[Settings.Related]>.relatedTables
        #expect(try syntax.parse(syntax.render([Self.companies, odd])) == [Self.companies, odd])
    }

    @Test(
        "What it can't be says which table and what to write",
        arguments: [
            ("public.companies", "is not a list", "Write a list of tables such as"),
            ("{table: a}", "is not a list", "Write a list of tables such as"),
            ("[a]", "has something else than a table in its table number 1", "Write a list"),
            ("[{tabel: a, columns: [b], users: c}]", "has an unknown key in its table number 1", "Did you mean table?"),
            ("[{table: a, columns: [], users: c}]", "has no columns in its table number 1", "Write a list"),
            (
                "[{table: a, columns: b, users: c}, {table: d, columns: b}]", "has no users in its table number 2",
                "Write"
            ),
            (
                "[{table: a, columns: b, users: c}, {table: a, key: k, columns: b, users: c}]",
                "has two keys for one table", "Name one key for each table."
            ),
            ("[{table: a.b.c, columns: b, users: c}]", "has more than two parts", "Write schema.table"),
            ("[{table: a", "is not valid YAML", "Write a list"),
        ])
    func refuses(_ text: String, _ what: String, _ hint: String) throws {
        let problems = try SettingsFixture(environment: ["CAPTURE_RELATED": text]).problems()
        #expect(problems.map(\.sentence) == ["capture.related \(what) (environment variable CAPTURE_RELATED)."])
        #expect(problems.first?.hint.hasPrefix(hint) == true)
    }

    @Test("A list where one value belongs is still refused")
    func refusesOtherLists() throws {
        let problems = try SettingsFixture(yaml: "capture: {notify: [guarded]}").problems()
        #expect(problems.first?.sentence.contains("is a list, not a single value") == true)
    }
}
