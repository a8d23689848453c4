/// Swift source with its literals and comments taken out, so that rules look at code only.
///
/// Not a parser: it knows strings (multi-line, raw, with code inside `\(…)`) and comments (nested), and
/// nothing else. Code inside an interpolation stays code.
struct SwiftText: Sendable {
    /// A string literal, without what is interpolated into it.
    struct Literal: Sendable {
        /// Where it begins, from 1.
        let line: Int
        let text: String
    }

    /// The lines as they stand in the file.
    let lines: [Substring]
    /// The same lines with blanks for comments and for the text of literals.
    let code: [Substring]
    let literals: [Literal]
    /// The lines, from 1, that lie wholly inside a multi-line literal.
    let literalLines: Set<Int>
    /// The words of the code, in order.
    let words: [Word]

    init(_ source: String) {
        var stripper = Stripper(source)
        stripper.strip()
        let stripped = String(decoding: stripper.bytes, as: UTF8.self)
        lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        code = stripped.split(separator: "\n", omittingEmptySubsequences: false)
        literals = stripper.literals
        literalLines = stripper.literalLines
        words = Word.all(in: stripper.bytes)
    }
}

/// A word of code and what stands around it.
struct Word: Sendable {
    let text: String
    /// From 1.
    let line: Int
    /// Where it begins in the stripped text, in bytes.
    let offset: Int
    /// The nearest character before it that is no blank, on any line; a blank where there is none.
    let before: Character
    /// The character right behind it; a blank where there is none.
    let after: Character
    /// Whether nothing but blanks stands before it on its line.
    let isFirst: Bool

    static func all(in bytes: [UInt8]) -> [Word] {
        var words: [Word] = []
        var line = 1
        var position = 0
        var before: Character = " "
        var isFirst = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte.isWordPart {
                let start = position
                while position < bytes.count, bytes[position].isWordPart { position += 1 }
                words.append(
                    Word(
                        text: String(decoding: bytes[start..<position], as: UTF8.self), line: line, offset: start,
                        before: before,
                        after: position < bytes.count ? Character(Unicode.Scalar(bytes[position])) : " ",
                        isFirst: isFirst))
                before = Character(Unicode.Scalar(bytes[position - 1]))
                isFirst = false
                continue
            }
            if byte == UInt8(ascii: "\n") {
                line += 1
                isFirst = true
            } else if byte != UInt8(ascii: " ") {
                before = Character(Unicode.Scalar(byte))
                isFirst = false
            }
            position += 1
        }
        return words
    }
}

extension UInt8 {
    /// A letter, a digit, `_`, or a part of a letter beyond ASCII.
    var isWordPart: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }
}
