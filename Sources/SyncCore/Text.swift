/// A number of things in words: `1 user`, `2 users`.
public func counted(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }

/// The text without white space at both ends.
func trimmingWhitespace(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
        let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
}

/// The text as it is sent: in normal form C, trimmed, and without control characters.
func cleaned(_ text: String) -> String {
    // Most names have nothing that needs a look at the tables of Unicode.
    let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    if isPlain, text.utf8.first != 0x20, text.utf8.last != 0x20 { return text }
    return ComposedText.of(trimmingWhitespace(replacingControls(text)))
}

/// The text with each control character (category Cc: tabs, line breaks, escapes) as one space.
///
/// A profile is a line on a screen: a control character in it is a slip of the keyboard or an attack
/// on a terminal, and dropping it altogether would join two words.
func replacingControls(_ text: String) -> String {
    guard hasControls(text) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
}

func hasControls(_ text: String) -> Bool { text.unicodeScalars.contains(where: isControl) }

/// Exactly the 65 of the category Cc, which Unicode promises never to change.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
}
