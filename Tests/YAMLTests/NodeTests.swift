import Testing

@testable import YAML

@Suite("A YAML text") struct NodeTests {
    @Test("is a tree of maps, lists and texts, in their order")
    func tree() throws {
        let root = try #require(try Node.parse("b: {x: 1}\na:\n  - one\n  - [two, 'th ree']\n"))
        #expect(root.map?.map(\.key.text) == ["b", "a"])
        #expect(root["b"]?["x"]?.text == "1")
        #expect(root["a"]?.list?.first?.text == "one")
        #expect(root["a"]?.list?.last?.list?.map(\.text) == ["two", "th ree"])
        #expect(root["c"] == nil && root["a"]?["b"] == nil && root.text == nil && root["b"]?.list == nil)
    }

    @Test("says of each value where it begins")
    func marks() throws {
        let root = try #require(try Node.parse("# first\na:\n  ü: [x,\n   y]\n"))
        #expect(root.map?.first?.key.mark == Mark(line: 2, column: 1))
        let inner = try #require(root["a"]?.map?.first)
        #expect(inner.key.mark == Mark(line: 3, column: 3) && inner.value.mark == Mark(line: 3, column: 6))
        #expect(inner.value.list?.last?.mark == Mark(line: 4, column: 4))
    }

    @Test(
        "has null only where nothing, or a word for it, stands without quotes",
        arguments: [
            ("a:", true), ("a: ~", true), ("a: null", true), ("a: Null", true), ("a: NULL", true),
            ("a: !!null ~", true), ("a: !!str ~", false), ("a: ''", false), ("a: \"null\"", false),
            ("a: nULL", false), ("a: |\n  null", false), ("a: []", false), ("a: {}", false), ("a: no", false),
        ])
    func null(_ text: String, _ isNull: Bool) throws {
        #expect(try Node.parse(text)?["a"]?.isNull == isNull)
    }

    @Test(
        "has its texts without quotes, escapes and folds, and guesses no type",
        arguments: [
            ("plain text", "plain text"), ("'it''s'", "it's"), (#""a\tb\u00e9\x41\n""#, "a\tb\u{e9}A\n"),
            (#""\0end""#, "\0end"), ("|\n one\n two\n", "one\ntwo\n"), (">-\n one\n two\n", "one two"), ("no", "no"),
            ("0x10", "0x10"), ("1e3", "1e3"), ("2001-01-01", "2001-01-01"), ("\"\\U0001F600\"", "\u{1F600}"),
            ("e\u{301}", "e\u{301}"), ("!!int 7", "7"), ("<<", "<<"),
        ])
    func texts(_ written: String, _ text: String) throws {
        let found = try #require(try Node.parse(written)?.text)
        #expect(Array(found.unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test("tells a plain text from a quoted one, and has the tag that was written")
    func scalars() throws {
        let list = try #require(try Node.parse("[a, 'a', !!str a, !mine a]")?.list)
        #expect(list.map(\.scalar?.isPlain) == [true, false, true, true])
        #expect(list.map(\.scalar?.tag) == [nil, nil, "tag:yaml.org,2002:str", "!mine"])
    }

    @Test(
        "with nothing but comments is no value", arguments: ["", " \n", "# a\n", "\u{FEFF}", "%YAML 1.1\n---\n...\n"])
    func nothing(_ text: String) throws {
        let root = try Node.parse(text)
        #expect(root?.isNull != false)
    }

    @Test("has an alias stand for what it names, at the place that it has")
    func aliases() throws {
        let root = try #require(try Node.parse("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n? &k key\n: *k\n"))
        #expect(root["b"]?.list?.map(\.text) == ["1", "2"] && root["b"]?.mark == Mark(line: 1, column: 4))
        #expect(root["d"]?.text == "3" && root["key"]?.text == "key")
    }

    @Test("may have lists and maps as keys, which nobody looks up")
    func complexKeys() throws {
        let root = try #require(try Node.parse("? [a]\n: 1\n? [a]\n: 2\nb: 3\n"))
        #expect(root.map?.count == 3 && root["b"]?.text == "3" && root["a"] == nil)
    }

    @Test("may be a stream of documents, whose names don't reach each other")
    func documents() throws {
        let found = try Node.documents("a: 1\n---\n- b\n---\n...\n---\nc\n")
        #expect(found.count == 4 && found.first?["a"]?.text == "1" && found[2].isNull && found.last?.text == "c")
        #expect(try Node.documents("# nothing\n").isEmpty)
        #expect(throws: YAMLProblem(kind: .unknownAlias, mark: Mark(line: 3, column: 1))) {
            try Node.documents("&a 1\n---\n*a\n")
        }
    }
}
