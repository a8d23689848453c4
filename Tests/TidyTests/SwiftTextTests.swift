import Testing

@Suite struct SwiftTextTests {
    @Test("comments and the text of literals are no code, and lines stay where they are")
    func strips() {
        let text = SwiftText(
            """
            let a = "try! // no" // try!
            /* try! /* nested */ try! */ let b = 1
            let c = #"a "quoted" \\(b)"#
            """)
        #expect(text.words.map(\.text) == ["let", "a", "let", "b", "1", "let", "c"])
        #expect(text.words.map(\.line) == [1, 1, 2, 2, 2, 3, 3])
        #expect(text.literals.map(\.text) == ["try! // no", "a \"quoted\" \\(b)"])
    }

    @Test("what is interpolated is code, with literals of its own")
    func interpolates() {
        let text = SwiftText(#"let a = "x \(f("y", (1))) z"; let b"#)
        #expect(text.words.map(\.text) == ["let", "a", "f", "1", "let", "b"])
        #expect(text.literals.map(\.text).sorted() == ["x   z", "y"])
    }

    @Test("the lines inside a multi-line literal are known")
    func knowsLiteralLines() {
        let text = SwiftText("let a = \"\"\"\n    one \"quoted\"\n    two\n    \"\"\"\nlet b = 2")
        #expect(text.literalLines == [2, 3])
        #expect(text.words.map(\.line) == [1, 1, 5, 5, 5])
    }

    @Test("a word knows what stands around it")
    func knowsNeighbours() {
        let words = SwiftText("try! self\n    .exit(1)").words
        #expect(words[0].after == "!")
        #expect(words[2].before == "." && words[2].after == "(")
        #expect(words.map(\.isFirst) == [true, false, false, false])
    }
}
