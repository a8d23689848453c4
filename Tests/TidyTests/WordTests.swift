import Testing

@Suite("What may be called, and where")
struct WordTests {
    @Test("the core knows no waiting, no clock, no printing and no randomness of the system")
    func coreIsPure() {
        let core = Repository.sources.filter { $0.target == "SyncCore" }
        #expect(!core.isEmpty)
        #expect(core.flatMap { WordRules.violations(of: WordRules.core, in: $0) } == [])
    }

    @Test("only the commands print, exit and read the environment")
    func onlyCommandsTalk() {
        #expect(Repository.sources.flatMap { WordRules.violations(of: WordRules.process, in: $0) } == [])
    }

    @Test("nothing is forced, and nothing is unchecked outside of the one file that says why")
    func nothingIsForced() {
        #expect(Repository.sources.flatMap { WordRules.violations(of: WordRules.unsafety, in: $0) } == [])
        #expect(Repository.sources.flatMap(WordRules.forcedUnwraps) == [])
    }

    @Test(
        "a planted word is found",
        arguments: [
            "let a = try! f()", "let a = b as! Int", "fatalError(\"no\")", "final class A: @unchecked Sendable {}",
            "print(1)", "let a = getenv(\"PATH\")", "exit(1)", "let a = ProcessInfo.processInfo",
            "let a = \"\\(print(1))\"",
        ])
    func findsPlantedWord(line: String) {
        let file = SourceFile(path: "Sources/SyncStore/Planted.swift", line)
        #expect(WordRules.violations(of: WordRules.unsafety + WordRules.process, in: file).count == 1)
    }

    @Test(
        "words in comments, in literals, of members and where they are allowed are let alone",
        arguments: [
            "// try! fatalError()", "let a = \"print(1)\"", "context.exit(1)", "let a = try? f()", "let printing = 1",
        ])
    func leavesOthersAlone(line: String) {
        let file = SourceFile(path: "Sources/SyncStore/Planted.swift", line)
        #expect(WordRules.violations(of: WordRules.unsafety + WordRules.process, in: file) == [])
        let command = SourceFile(path: "Sources/SyncCommands/Planted.swift", "print(1)")
        #expect(WordRules.violations(of: WordRules.process, in: command) == [])
    }

    @Test(
        "a planted impurity of the core is found",
        arguments: ["func f() async {}", "let now = Date()", "let now = ContinuousClock.now", "Task { }"])
    func findsPlantedImpurity(line: String) {
        let file = SourceFile(path: "Sources/SyncCore/Planted.swift", line)
        #expect(WordRules.violations(of: WordRules.core, in: file).count == 1)
    }

    @Test("a forced unwrap is found, and a negation or an inequality isn't one")
    func findsForcedUnwraps() {
        let file = SourceFile(
            path: "Sources/SyncStore/Planted.swift",
            "let a = b!\nlet c = d()!\nlet e = f[0]!.g\nvar h: Int!\nif !i, j != k, (l)!=m {}\nlet n = \"o!\"")
        #expect(WordRules.forcedUnwraps(in: file).count == 4)
    }
}
