/// How long a file and a function may be.
enum SizeRules {
    static let longestFile = 400
    static let longestFunction = 70

    /// A function with a body.
    struct Function: Equatable {
        let name: String
        /// From 1.
        let line: Int
        /// From the word `func` or `init` to the closing brace, without the lines that lie inside a
        /// multi-line literal: SQL is read as a text of its own, and the file's limit counts it.
        let length: Int
    }

    static func functions(in text: SwiftText) -> [Function] {
        let bytes = text.code.joined(separator: "\n").utf8.map { $0 }
        return text.words.indices.compactMap { index in
            let word = text.words[index]
            guard isDeclaration(word), let last = lastLine(of: word, in: bytes) else { return nil }
            let isNamed = word.text == "func" && index + 1 < text.words.count
            let inLiterals = text.literalLines.filter { (word.line...last).contains($0) }.count
            return Function(
                name: isNamed ? text.words[index + 1].text : word.text, line: word.line,
                length: last - word.line + 1 - inLiterals)
        }
    }

    static func violations(in file: SourceFile) -> [String] {
        // A file ends with a line break, so there is one empty line too many.
        let count = file.text.lines.count - (file.text.lines.last == "" ? 1 : 0)
        let tooLong = count > longestFile ? ["\(file.path): \(count) lines"] : []
        return tooLong
            + functions(in: file.text).filter { $0.length > longestFunction }.map {
                "\(file.place($0.line)): \($0.name) has \($0.length) lines"
            }
    }

    /// `func`, and `init`, `deinit` and `subscript` where they aren't called.
    private static func isDeclaration(_ word: Word) -> Bool {
        switch word.text {
        case "func", "deinit": word.before != "."
        case "init", "subscript": word.before != "." && ["(", "?", "<", "["].contains(word.after)
        default: false
        }
    }

    /// The line of the brace that closes the body; `nil` for a requirement of a protocol, which has none.
    private static func lastLine(of word: Word, in bytes: [UInt8]) -> Int? {
        var line = word.line
        var rounds = 0
        var braces = 0
        for position in word.offset..<bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "("): rounds += 1
            case UInt8(ascii: ")"): rounds -= 1
            case UInt8(ascii: "{") where rounds == 0: braces += 1
            case UInt8(ascii: "}") where rounds == 0:
                braces -= 1
                if braces <= 0 { return braces == 0 ? line : nil }
            default: continue
            }
            if braces == 0, startsAnother(bytes, position, after: word) { return nil }
        }
        return nil
    }

    /// Whether a declaration without a body is over, because the next one begins.
    private static func startsAnother(_ bytes: [UInt8], _ position: Int, after word: Word) -> Bool {
        guard position > word.offset,
            bytes[position - 1] == UInt8(ascii: "\n") || bytes[position - 1] == UInt8(ascii: " ")
        else { return false }
        return ["func ", "var ", "init(", "subscript("].contains { bytes[position...].starts(with: $0.utf8) }
    }
}
