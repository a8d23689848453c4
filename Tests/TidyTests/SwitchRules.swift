/// A switch over an enum of ours names every case, so that a new one can't be forgotten silently.
///
/// Which type is switched over can't be read from the text, so what is looked for is a `default:` or
/// `case _:` beside cases that are written with a leading dot.
enum SwitchRules {
    /// Switches over enums of others, which may grow without us.
    static let allowedIn: [String: String] = [
        "Sources/SignalWire/FoldedText.swift": "Unicode's general categories",
        "Sources/SignalWire/TransportFailure+Errors.swift": "the errors of the HTTP client and of NIO",
    ]

    static func violations(in file: SourceFile) -> [String] {
        guard allowedIn[file.path] == nil else { return [] }
        return defaults(in: file.text).map { "\(file.place($0)): a default beside named cases" }
    }

    /// One `switch` on the way to its closing brace.
    private struct Open {
        /// How many braces are open inside of it.
        let depth: Int
        var hasNamedCase = false
        var defaultLine: Int?
    }

    /// The lines, from 1, of the defaults that stand beside named cases.
    static func defaults(in text: SwiftText) -> [Int] {
        let bytes = text.code.joined(separator: "\n").utf8.map { $0 }
        let starts = Dictionary(uniqueKeysWithValues: text.words.indices.map { (text.words[$0].offset, $0) })
        var open: [Open] = []
        var depth = 0
        var isHead = false
        var found: [Int] = []
        for position in bytes.indices {
            if bytes[position] == UInt8(ascii: "{") {
                depth += 1
                if isHead { open.append(Open(depth: depth)) }
                isHead = false
            } else if bytes[position] == UInt8(ascii: "}") {
                if open.last?.depth == depth, let closed = open.popLast(), closed.hasNamedCase {
                    closed.defaultLine.map { found.append($0) }
                }
                depth -= 1
            } else if let index = starts[position] {
                if text.words[index].text == "switch" { isHead = true }
                if open.last?.depth == depth { note(index, in: text, bytes, &open[open.count - 1]) }
            }
        }
        return found
    }

    private static func note(_ index: Int, in text: SwiftText, _ bytes: [UInt8], _ open: inout Open) {
        let word = text.words[index]
        if word.text == "default", word.after == ":", word.before != "(", word.before != "," {
            open.defaultLine = word.line
        }
        guard word.text == "case", word.isFirst else { return }
        let pattern = pattern(from: word.offset + 4, bytes)
        if pattern.trimmed == "_" {
            open.defaultLine = word.line
        } else if namesCase(pattern) {
            open.hasNamedCase = true
        }
    }

    /// A dot behind a blank, a bracket or a comma, and a letter behind the dot: `..<5` and `A.b` have another shape.
    private static func namesCase(_ pattern: Substring) -> Bool {
        let letters = Array(" " + pattern)
        return letters.indices.dropFirst().dropLast().contains { index in
            letters[index] == "." && [" ", "(", ",", "\n"].contains(letters[index - 1]) && letters[index + 1].isLetter
        }
    }

    /// What stands between `case` and its colon, which no bracket encloses.
    private static func pattern(from start: Int, _ bytes: [UInt8]) -> Substring {
        var depth = 0
        var end = start
        while end < bytes.count {
            if bytes[end] == UInt8(ascii: "(") || bytes[end] == UInt8(ascii: "[") { depth += 1 }
            if bytes[end] == UInt8(ascii: ")") || bytes[end] == UInt8(ascii: "]") { depth -= 1 }
            if bytes[end] == UInt8(ascii: ":"), depth == 0 { break }
            end += 1
        }
        return Substring(decoding: bytes[start..<end], as: UTF8.self)
    }
}
