import Testing

@Suite("The table of events")
struct EventRulesTests {
    @Test("has a row for each of its tests, and a test for each row")
    func agrees() throws {
        let page = try Repository.text(of: "Sources/SyncAgent/SyncAgent.docc/Events.md")
        let files = try Repository.allPaths().filter { path in
            path.hasPrefix("Tests/SyncAgentTests/Event") && path.hasSuffix("Tests.swift")
        }
        let rows = EventRules.rows(in: page)
        let tests = try files.flatMap { EventRules.tests(in: try Repository.text(of: $0)) }
        #expect(Set(rows).symmetricDifference(tests) == [])
        #expect(rows.count == tests.count && rows.count > 20)
    }

    @Test("is read by its first two columns")
    func reads() {
        let page =
            "| event | setting | at | in |\n|---|---|---|---|\n| a comes | | x | y |\n| b | `c: d` | x | y |\n| 1 | 2 |"
        #expect(EventRules.rows(in: page) == ["a comes", "b; c: d"])
        let source = "@" + "Test(\"one\") func a() {}\n    @" + "Test(\"two; b: c\", arguments: [])"
        #expect(EventRules.tests(in: source) == ["one", "two; b: c"])
    }
}
