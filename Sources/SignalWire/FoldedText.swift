/// A text on one line, with a second view in which letters of either case are the same.
///
/// Redaction compares the folded view and cuts the plain one, so each folded scalar remembers which
/// plain one it comes from (lower case can be longer than upper case).
struct FoldedText {
    /// What may be shown: control and format characters are gone, white space is single spaces.
    let plain: [Unicode.Scalar]
    /// The same in lower case.
    let folded: [Unicode.Scalar]
    /// For each folded scalar the index of its plain one.
    let origins: [Int]

    init(_ text: some StringProtocol) {
        plain = Self.oneLine(text.unicodeScalars)
        var folded: [Unicode.Scalar] = []
        var origins: [Int] = []
        for (index, scalar) in plain.enumerated() {
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                folded.append(lower)
                origins.append(index)
            }
        }
        self.folded = folded
        self.origins = origins
    }

    private static func oneLine(_ scalars: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        var line: [Unicode.Scalar] = []
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            case .format: continue
            case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator:
                if let last = line.last, last != " " { line.append(" ") }
            default: line.append(scalar)
            }
        }
        if line.last == " " { line.removeLast() }
        return line
    }
}
