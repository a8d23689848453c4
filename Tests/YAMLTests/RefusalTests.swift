import Testing

@testable import YAML

@Suite("What is no YAML, or too much of it") struct RefusalTests {
    /// The problem with a text; `nil` if there is none.
    static func problem(_ text: String) -> YAMLProblem? { problem(Array(text.utf8)) }

    static func problem(_ bytes: [UInt8]) -> YAMLProblem? {
        do throws(YAMLProblem) {
            _ = try Node.parse(bytes: bytes)
            return nil
        } catch {
            return error
        }
    }

    static let bounded: [(String, YAMLProblem.Kind, Int, Int)] = [
        ("a: 1\nb: 2\na: 3\n", .duplicateKey, 3, 1), ("a: {x: 1, 'x': 2}\n", .duplicateKey, 1, 11),
        ("a: *b\n", .unknownAlias, 1, 4), ("a: &a [*a]\n", .unknownAlias, 1, 8),
        ("&a\n? *a\n: 1\n", .unknownAlias, 2, 3),
        ("a: 1\n--- \nb: 1\n", .severalDocuments, 2, 1),
    ]

    @Test("is refused with its kind and its place", arguments: bounded)
    func kinds(_ text: String, _ kind: YAMLProblem.Kind, _ line: Int, _ column: Int) {
        #expect(Self.problem(text) == YAMLProblem(kind: kind, mark: Mark(line: line, column: column)))
    }

    @Test(
        "is refused where the grammar ends, in words that quote nothing",
        arguments: [
            ("a: 'hunter2\n", 2, 1), ("a: [hunter2\n", 2, 1), ("a: hunter2\n b: c\n", 2, 3), ("\thunter2: b\n", 1, 1),
            ("a: @hunter2\n", 1, 4), ("a: \"\\hunter2\"\n", 1, 4), ("%TAG hunter2\n---\n", 1, 1),
        ])
    func grammar(_ text: String, _ line: Int, _ column: Int) throws {
        let problem = try #require(Self.problem(text))
        guard case .syntax(let words) = problem.kind else {
            Issue.record("\(problem)")
            return
        }
        #expect(problem.mark?.line == line, "\(problem)")
        #expect(!words.isEmpty && !problem.reason.contains("hunter2"))
    }

    @Test(
        "is refused where a byte is none of UTF-8's, or one that no text has",
        arguments: [
            [0xFF], [0x61, 0x3A, 0x20, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0x00],
            [0x00], [0x61, 0x3A, 0x20, 0x01], [0x22, 0x7F, 0x22], [0xFF, 0xFE, 0x61, 0x00], [0xFE, 0xFF, 0x00, 0x61],
            Array("a: \"\\ud800\"".utf8), Array("a: \"\\UFFFFFFFF\"".utf8), Array("!<%FF> a".utf8),
        ] as [[UInt8]])
    func bytes(_ bytes: [UInt8]) {
        #expect(Self.problem(bytes) != nil)
    }

    @Test("that is a control character is called so")
    func control() {
        #expect(Self.problem("a: \u{1}\n")?.kind == .controlCharacter)
        #expect(Self.problem("a: \0\n")?.kind == .controlCharacter)
    }

    @Test(
        "is refused as soon as it is too deep, however long it goes on",
        arguments: ["[", "{a: ", "- ", "? ", "{? ", "[{a: "])
    func depth(_ opening: String) throws {
        let problem = try #require(Self.problem(String(repeating: opening, count: 100_000)))
        #expect(problem.kind == .tooDeep)
    }

    @Test("may be as deep as the limit, and no deeper")
    func depthBound() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "x" + String(repeating: "]", count: depth)
        }
        #expect(Self.problem(nested(YAMLLimits.depth)) == nil)
        #expect(Self.problem(nested(YAMLLimits.depth + 1))?.kind == .tooDeep)
    }

    @Test("may have as many aliases as the limit, and no more")
    func aliasBound() {
        func aliases(_ count: Int) -> String {
            "a: &a x\nb: [" + repeatElement("*a", count: count).joined(separator: ", ") + "]\n"
        }
        #expect(Self.problem(aliases(YAMLLimits.aliases)) == nil)
        #expect(Self.problem(aliases(YAMLLimits.aliases + 1))?.kind == .tooManyAliases)
    }

    @Test("is counted with what its aliases stand for")
    func bombs() {
        let laughs = (1..<40).map { "l\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        #expect(Self.problem("l0: &a0 [x]\n" + laughs)?.kind == .tooManyAliases)
        // Ten times ten times ten thousand, with twenty aliases.
        let ten = repeatElement("x", count: 10_000).joined(separator: ",")
        func times(_ name: String) -> String { repeatElement("*\(name)", count: 10).joined(separator: ",") }
        let wide = "a: &a [\(ten)]\nb: &b [\(times("a"))]\nc: [\(times("b"))]\n"
        #expect(Self.problem(wide)?.kind == .tooManyValues)
        let keys = "? &b [\(times("a"))]\n: 1\n? [\(times("b"))]\n: 2\n"
        #expect(Self.problem("? &a [\(ten)]\n: 0\n" + keys)?.kind == .tooManyValues)
    }

    @Test("may have as many values as the limit, and no more")
    func valueBound() {
        func values(_ count: Int) -> String { "[" + repeatElement("x", count: count).joined(separator: ",") + "]" }
        #expect(Self.problem(values(YAMLLimits.values - 1)) == nil)
        #expect(Self.problem(values(YAMLLimits.values))?.kind == .tooManyValues)
    }

    @Test("has a reason of its own for each kind")
    func reasons() {
        let kinds: [YAMLProblem.Kind] = [
            .syntax("s"), .controlCharacter, .duplicateKey, .unknownAlias, .severalDocuments, .tooDeep, .tooManyAliases,
            .tooManyValues, .outOfMemory,
        ]
        #expect(Set(kinds.map { YAMLProblem(kind: $0, mark: nil).reason }).count == kinds.count)
    }
}
