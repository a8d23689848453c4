/// PostgreSQL's text form of one-dimensional arrays: `{1,NULL,"a \"quoted\" word"}`.
///
/// Source: the PostgreSQL documentation, "Array Input and Output Syntax".
enum ArrayText {
    /// Every element is quoted, so that no text is taken for NULL, a brace or a separator.
    static func literal(_ elements: [String?]) -> String {
        var bytes: [UInt8] = [Mark.open]
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(Mark.comma) }
            if let element { append(element, to: &bytes) } else { bytes += Mark.null }
        }
        bytes.append(Mark.close)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ element: String, to bytes: inout [UInt8]) {
        bytes.append(Mark.quote)
        for byte in element.utf8 {
            if byte == Mark.quote || byte == Mark.backslash { bytes.append(Mark.backslash) }
            bytes.append(byte)
        }
        bytes.append(Mark.quote)
    }

    /// - Returns: `nil` where the text is not a one-dimensional array.
    static func elements(of text: some Collection<UInt8>) -> [String?]? {
        var parser = ArrayTextParser(text)
        return parser.parse()
    }

    /// The bytes that mean something. All are ASCII, so none occurs inside another character of UTF-8.
    enum Mark {
        static let open = UInt8(ascii: "{")
        static let close = UInt8(ascii: "}")
        static let comma = UInt8(ascii: ",")
        static let quote = UInt8(ascii: "\"")
        static let backslash = UInt8(ascii: "\\")
        static let equals = UInt8(ascii: "=")
        static let bracket = UInt8(ascii: "[")
        static let null = Array("NULL".utf8)
    }
}

/// Reads what the server's array output function writes.
private struct ArrayTextParser {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some Collection<UInt8>) { bytes = Array(text) }

    private typealias Mark = ArrayText.Mark

    mutating func parse() -> [String?]? {
        skipBounds()
        guard take(Mark.open) else { return nil }
        if take(Mark.close) { return isAtEnd ? [] : nil }
        var elements: [String?] = []
        repeat {
            guard let element = element() else { return nil }
            elements.append(element.text)
        } while take(Mark.comma)
        return take(Mark.close) && isAtEnd ? elements : nil
    }

    /// Wraps the optional text: the element may be NULL, and the parser may fail.
    private struct Element { let text: String? }

    private var isAtEnd: Bool { position == bytes.count }

    /// An array whose first index is not 1 starts with its bounds: `[0:1]={a,b}`.
    private mutating func skipBounds() {
        guard bytes.first == Mark.bracket, let equals = bytes.firstIndex(of: Mark.equals) else { return }
        position = equals + 1
    }

    private mutating func take(_ mark: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == mark else { return false }
        position += 1
        return true
    }

    private mutating func element() -> Element? {
        take(Mark.quote) ? quotedElement() : bareElement()
    }

    private mutating func quotedElement() -> Element? {
        var content: [UInt8] = []
        while position < bytes.count {
            if take(Mark.quote) { return Element(text: String(decoding: content, as: UTF8.self)) }
            _ = take(Mark.backslash)
            guard position < bytes.count else { return nil }
            content.append(bytes[position])
            position += 1
        }
        return nil
    }

    /// Ends before a comma or the closing brace; a brace that opens would be another dimension.
    private mutating func bareElement() -> Element? {
        let end = bytes[position...].firstIndex { $0 == Mark.comma || $0 == Mark.close } ?? bytes.endIndex
        let content = bytes[position..<end]
        guard !content.isEmpty, !content.contains(Mark.open) else { return nil }
        position = end
        return Element(text: content.elementsEqual(Mark.null) ? nil : String(decoding: content, as: UTF8.self))
    }
}
