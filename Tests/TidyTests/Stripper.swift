/// Blanks out comments and the text of literals, byte by byte, and collects the literals.
struct Stripper {
    /// The source, more and more blanked; as long as it was, with every line break where it was.
    private(set) var bytes: [UInt8]
    private(set) var literals: [SwiftText.Literal] = []
    private(set) var literalLines: Set<Int> = []
    private var position = 0
    private var line = 1

    init(_ source: String) { bytes = Array(source.utf8) }

    mutating func strip() { skipCode(untilClosed: false) }

    /// Goes on to the end, or past the bracket that closes an interpolation.
    private mutating func skipCode(untilClosed: Bool) {
        var depth = 0
        while position < bytes.count {
            if isAt("//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
            } else if isAt("/*") {
                blankComment()
            } else if let hashes = literalAhead() {
                blankLiteral(hashes: hashes)
            } else {
                if isAt("(") { depth += 1 }
                if isAt(")") {
                    if depth == 0, untilClosed { return blank(1) }
                    depth -= 1
                }
                advance()
            }
        }
    }

    /// Comments nest.
    private mutating func blankComment() {
        var depth = 0
        while position < bytes.count {
            if isAt("/*") {
                depth += 1
                blank(2)
            } else if isAt("*/") {
                depth -= 1
                blank(2)
                if depth == 0 { return }
            } else {
                blank(1)
            }
        }
    }

    /// - Returns: how many `#` stand before the quote, if a literal begins here.
    private func literalAhead() -> Int? {
        var end = position
        while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
        return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end - position : nil
    }

    private mutating func blankLiteral(hashes: Int) {
        let fence = String(repeating: "#", count: hashes)
        let start = line
        blank(hashes)
        let quotes = isAt("\"\"\"") ? "\"\"\"" : "\""
        blank(quotes.utf8.count)
        var text: [UInt8] = []
        while position < bytes.count, !isAt(quotes + fence) {
            if isAt("\\" + fence + "(") {
                blank(hashes + 2)
                text.append(UInt8(ascii: " "))
                skipCode(untilClosed: true)
            } else {
                let length = isAt("\\" + fence) ? min(hashes + 2, bytes.count - position) : 1
                text += bytes[position..<position + length]
                blank(length)
            }
        }
        blank(quotes.utf8.count + hashes)
        literals.append(SwiftText.Literal(line: start, text: String(decoding: text, as: UTF8.self)))
        if line > start + 1 { literalLines.formUnion((start + 1)...(line - 1)) }
    }

    private func isAt(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] != UInt8(ascii: "\n") { bytes[position] = UInt8(ascii: " ") }
            advance()
        }
    }

    private mutating func advance() {
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }
}
