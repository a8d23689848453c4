import Testing

@Suite("Where SQL may stand")
struct SQLTests {
    @Test("only the store and the migrations have SQL")
    func storeAlone() {
        #expect(Repository.sources.flatMap(SQLRules.violations) == [])
    }

    @Test("Postgres names no table")
    func postgresNamesNoTable() {
        #expect(Repository.sources.flatMap(SQLRules.tableNames) == [])
    }

    @Test("no exception outlives the file that it was made for")
    func exceptionsAreNeeded() {
        let paths = Set(Repository.sources.map(\.path))
        #expect(SQLRules.exceptions.keys.filter { !paths.contains($0) } == [])
    }

    @Test(
        "a planted statement is found",
        arguments: [
            ("SyncAgent", "let a = \"SELECT 1\""), ("Operations", "let a = \"\"\"\n  DELETE FROM a\n  \"\"\""),
            ("Postgres", "let a = \"CREATE TABLE a ()\""), ("SyncCommands", "f(#\"UPDATE a SET b = 1\"#)"),
        ])
    func findsPlanted(target: String, source: String) {
        #expect(SQLRules.violations(in: SourceFile(path: "Sources/\(target)/Planted.swift", source)).count == 1)
    }

    @Test("a planted table in Postgres is found")
    func findsPlantedTable() {
        let file = SourceFile(path: "Sources/Postgres/Planted.swift", "let a = \"LISTEN subscriber_sync\"")
        #expect(SQLRules.tableNames(in: file).count == 1)
    }

    @Test(
        "English, comments and the store are let alone",
        arguments: [
            ("SyncAgent", "// SELECT 1"), ("SyncAgent", "let a = \"select one, then update\""),
            ("SyncStore", "let a = \"SELECT 1\""), ("Postgres", "let a = \"COMMIT\""),
        ])
    func leavesOthersAlone(target: String, source: String) {
        #expect(SQLRules.violations(in: SourceFile(path: "Sources/\(target)/Planted.swift", source)) == [])
    }
}
