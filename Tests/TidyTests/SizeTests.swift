import Testing

@Suite("How long things are")
struct SizeTests {
    @Test("no source file is over 400 lines and no function over 70")
    func sourcesAreShort() {
        #expect(Repository.sources.flatMap(SizeRules.violations) == [])
    }

    @Test("no test file is over 400 lines and no test over 70")
    func testsAreShort() {
        #expect(Repository.tests.flatMap(SizeRules.violations) == [])
    }

    @Test("functions are found with their lengths, whatever stands in their literals")
    func measures() {
        let text = SwiftText(
            """
            protocol P {
                func required()
                init(a: Int)
            }
            struct S: P {
                init(a: Int) { self.init() }
                func required() {
                    let a = "{ } }"
                    call { }
                }
                func generic<T>(_ f: (T) -> Void = { _ in }) where T: P {
                }
            }
            """)
        let functions = SizeRules.functions(in: text)
        #expect(functions.map(\.name) == ["init", "required", "generic"])
        #expect(functions.map(\.length) == [1, 4, 2])
    }

    @Test("lines of SQL in a function don't count, lines of code do")
    func leavesSQLOut() {
        let sql = "func f() -> String {\n    \"\"\"\n" + String(repeating: "    SELECT\n", count: 90) + "    \"\"\"\n}"
        #expect(SizeRules.functions(in: SwiftText(sql)).map(\.length) == [4])
    }

    @Test("a planted long function and a planted long file are found")
    func findsPlanted() {
        let body = String(repeating: "    f()\n", count: 69)
        let function = SourceFile(path: "Sources/A/B.swift", "func f() {\n\(body)}\n")
        #expect(SizeRules.violations(in: function) == ["Sources/A/B.swift:1: f has 71 lines"])
        let file = SourceFile(path: "Sources/A/B.swift", String(repeating: "// a\n", count: 401))
        #expect(SizeRules.violations(in: file) == ["Sources/A/B.swift: 401 lines"])
    }
}
