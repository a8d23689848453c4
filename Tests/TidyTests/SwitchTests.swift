import Testing

@Suite("Switches over enums of ours")
struct SwitchTests {
    @Test("no switch over named cases has a default")
    func namesEveryCase() {
        #expect(Repository.sources.flatMap(SwitchRules.violations) == [])
    }

    @Test("every exception is of a file that is there and needs it")
    func exceptionsAreNeeded() {
        let needing = Repository.sources.filter { !SwitchRules.defaults(in: $0.text).isEmpty }.map(\.path)
        #expect(SwitchRules.allowedIn.keys.filter { !needing.contains($0) } == [])
    }

    @Test(
        "a planted default is found",
        arguments: [
            "switch a {\ncase .b: 1\ndefault: 2\n}", "switch a {\ncase .b: 1\ncase _: 2\n}",
            "switch (a, b) {\ncase (.c, _): 1\ndefault: 2\n}", "switch a {\ncase let .b(c): 1\ndefault: 2\n}",
            "switch a {\ncase 1:\n switch b {\n case .c: 1\n default: 2\n }\ndefault: 3\n}",
        ])
    func findsPlanted(source: String) {
        #expect(SwitchRules.defaults(in: SwiftText(source)).count == 1)
    }

    @Test(
        "a default over numbers and texts is let alone",
        arguments: [
            "switch a {\ncase 1: .b\ndefault: .c\n}", "switch a {\ncase \"b\": 1\ncase _: 2\n}",
            "switch a {\ncase 1: d[b, default: .c]\ndefault: f(default: 1)\n}",
            "switch a {\ncase 1:\n if case .b = c { 1 }\ndefault: 2\n}", "switch a {\ncase .b: 1\ncase .c: 2\n}",
            "switch a {\ncase ..<0.5: .b\ncase _: .c\n}",
            "enum A {\n case b\n static let `default` = A.b\n}",
        ])
    func leavesOthersAlone(source: String) {
        #expect(SwitchRules.defaults(in: SwiftText(source)) == [])
    }
}
