/// Turns what a users table calls a country into its ISO 3166-1 code of two letters.
public enum CountryCode {
    /// The code of two letters; `nil` where the text is neither a code nor a name that is known.
    ///
    /// Case, punctuation and a leading "the" don't matter; `&` is "and".
    public static func alpha2(_ text: String) -> String? {
        guard text.utf8.count <= longest else { return nil }
        return codeOfName[folded(text)]
    }

    /// No name that is known comes near.
    private static let longest = 100

    private static let codeOfName: [String: String] = {
        var codes: [String: String] = [:]
        for (name, code) in named { codes[folded(name)] = code }
        return codes
    }()

    /// Every code and every name, with its code of two letters.
    static let named: [(name: String, code: String)] = table.split(separator: "\n").flatMap { line in
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count == 3 else { return [(name: String, code: String)]() }
        let code = String(parts[0])
        let names = [parts[0], parts[1]] + parts[2].split(separator: "|")
        return names.map { (name: String($0), code: code) }
    }

    /// Letters and digits in lower case.
    private static func folded(_ text: some StringProtocol) -> String {
        let lowered = text.lowercased()
        let name = lowered.hasPrefix("the ") ? lowered.dropFirst(4) : lowered[...]
        return name.reduce(into: "") { key, character in
            if character == "&" { key += "and" }
            if character.isLetter || character.isNumber { key.append(character) }
        }
    }
}
