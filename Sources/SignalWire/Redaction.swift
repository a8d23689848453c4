/// Takes out of SignalWire's words what we sent, so that an error text can be kept and shown (I7).
///
/// Servers quote the value they complain about: as it was, escaped for JSON, HTML or a URL, in
/// another case, or cut short. Each of these is replaced by "…". So is what looks like a token of theirs.
struct Redaction: Sendable {
    /// The longest error text that is kept, in Unicode scalars: a single character can have any number of them.
    static let messageLimit = 300
    /// A value longer than this is recognised by its beginning too: it may have been quoted in part.
    private static let tellingLength = 12

    /// What to look for, folded, longest first.
    private let forms: [[Unicode.Scalar]]

    init(_ values: [String]) {
        let spellings = Set(values.flatMap(Spelling.all(of:)))
        forms = Set(spellings.map { FoldedText($0).folded }).filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    /// The text on one line, without the values, no longer than the limit.
    func applied(to message: some StringProtocol, limit: Int = messageLimit) -> String {
        let text = FoldedText(message)
        var result = String.UnicodeScalarView()
        var index = 0
        var firstKept = 0
        while index < text.folded.count {
            guard let end = endOfValue(in: text.folded, from: index) else {
                index += 1
                continue
            }
            if text.origins[index] >= firstKept {
                result.append(contentsOf: text.plain[firstKept..<text.origins[index]])
            }
            result.append("…")
            firstKept = text.origins[end - 1] + 1
            index = end
        }
        if firstKept < text.plain.count { result.append(contentsOf: text.plain[firstKept...]) }
        return String(result).cut(to: limit)
    }

    /// Whether the text holds one of the values.
    func isTouched(_ text: some StringProtocol) -> Bool {
        let folded = FoldedText(text).folded
        return folded.indices.contains { endOfValue(in: folded, from: $0) != nil }
    }

    /// Where a value ends that begins here: the longest of them.
    private func endOfValue(in text: [Unicode.Scalar], from start: Int) -> Int? {
        forms.compactMap { matchLength(of: $0, in: text, from: start) }.max().map { start + $0 }
            ?? endOfToken(in: text, from: start)
    }

    /// A JSON web token, signed or encrypted, begins with `{"` in base64: nobody sent it, and nobody may see it.
    private func endOfToken(in text: [Unicode.Scalar], from start: Int) -> Int? {
        guard text[start...].starts(with: Self.tokenHead) else { return nil }
        let token = text[start...].prefix { $0.isASCII && ($0.isWordPart || "-_.".unicodeScalars.contains($0)) }
        return token.count >= Self.shortestToken ? token.endIndex : nil
    }

    /// Folded, as the text is.
    private static let tokenHead = Array("eyj".unicodeScalars)
    private static let shortestToken = 20

    private func matchLength(of form: [Unicode.Scalar], in text: [Unicode.Scalar], from start: Int) -> Int? {
        var length = 0
        while length < form.count, start + length < text.count, form[length] == text[start + length] { length += 1 }
        if length == form.count {
            return length > 2 || isWord(start..<start + length, in: text) ? length : nil
        }
        return length >= Self.tellingLength ? length : nil
    }

    /// Whether neither neighbour is a letter or a digit: "US" is a value in "US?", not in "must".
    private func isWord(_ range: Range<Int>, in text: [Unicode.Scalar]) -> Bool {
        let isOpen = range.lowerBound == 0 || !text[range.lowerBound - 1].isWordPart
        return isOpen && (range.upperBound == text.count || !text[range.upperBound].isWordPart)
    }
}

extension Unicode.Scalar {
    fileprivate var isWordPart: Bool { properties.isAlphabetic || properties.numericType != nil }
}

extension String {
    /// At most so many scalars; the last is "…" where something was left out.
    fileprivate func cut(to limit: Int) -> String {
        let scalars = unicodeScalars
        return scalars.count <= limit ? self : String(scalars.prefix(limit - 1)) + "…"
    }
}

/// The ways in which a server may spell a value that it quotes.
private enum Spelling {
    static func all(of value: String) -> [String] {
        [value, json(value, isASCII: false), json(value, isASCII: true), html(value)]
            + [percent(value, space: "%20"), percent(value, space: "+")]
    }

    private static func json(_ value: String, isASCII: Bool) -> String {
        value.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case "\n": #"\n"#
            case "\r": #"\r"#
            case "\t": #"\t"#
            default: scalar.value < 0x20 || (isASCII && !scalar.isASCII) ? unicodeEscape(scalar) : String(scalar)
            }
        }.joined()
    }

    private static func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    private static func html(_ value: String) -> String {
        value.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case "'": "&#39;"
            default: String(scalar)
            }
        }.joined()
    }

    /// RFC 3986: everything but the unreserved characters.
    private static func percent(_ value: String, space: String) -> String {
        value.utf8.map { byte in
            if byte == 0x20 { return space }
            if byte.isLetter || byte.isDigit || byte.isOne(of: "-._~") { return String(Unicode.Scalar(byte)) }
            return (byte < 0x10 ? "%0" : "%") + String(byte, radix: 16)
        }.joined()
    }
}
