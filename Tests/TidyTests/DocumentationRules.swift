/// Every type says what it is, in a comment of its own.
enum DocumentationRules {
    static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
    static let modifiers: Set<String> = [
        "public", "package", "internal", "fileprivate", "private", "final", "indirect", "open", "nonisolated",
    ]

    /// Types at the top of a file, and public types anywhere, that have no `///` right above them.
    static func violations(in file: SourceFile) -> [String] {
        let words = file.text.words
        return words.indices.compactMap { index in
            let word = words[index]
            guard kinds.contains(word.text), word.before != ".", index + 1 < words.count else { return nil }
            let head = words[..<index].reversed().prefix { $0.line == word.line }
            guard head.allSatisfy({ modifiers.contains($0.text) }) else { return nil }
            let isAtTop = !(file.text.lines[word.line - 1].first == " ")
            let isPublicPart = word.text != "typealias" && head.contains { $0.text == "public" }
            guard isAtTop || isPublicPart else { return nil }
            return isDocumented(word.line, in: file.text) ? nil : "\(file.place(word.line)): \(words[index + 1].text)"
        }
    }

    /// Attributes may stand between the comment and the type.
    private static func isDocumented(_ line: Int, in text: SwiftText) -> Bool {
        let above = text.lines[..<(line - 1)].reversed().first { !$0.trimmed.hasPrefix("@") }
        return above?.trimmed.hasPrefix("///") == true
    }
}
