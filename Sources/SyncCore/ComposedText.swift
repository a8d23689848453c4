/// Text in Unicode's normal form C, in which `é` is one code point however it was typed.
///
/// Two systems that write one name in different forms would otherwise make a change of it that nobody can see. The
/// standard library composes text too, but only behind an underscore, where it may go away; and Foundation's way brings
/// its data for all the languages of the world. What is needed is a table and the algorithm of Unicode's annex 15.
enum ComposedText {
    /// The text in normal form C.
    static func of(_ text: String) -> String {
        guard !isPlain(text) else { return text }
        var scalars: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars { decompose(scalar, into: &scalars) }
        sortMarks(&scalars)
        compose(&scalars)
        return String(String.UnicodeScalarView(scalars))
    }

    /// Whether each code point lies below U+0300, where the combining marks begin: then nothing can be composed. That is
    /// most of Europe's names, and shows in the first byte of each.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0xCC } }

    private static func decompose(_ scalar: Unicode.Scalar, into scalars: inout [Unicode.Scalar]) {
        if let syllable = Hangul.parts(of: scalar) {
            scalars += syllable
        } else if let parts = parts[scalar] {
            for part in parts { decompose(part, into: &scalars) }
        } else {
            scalars.append(scalar)
        }
    }

    /// Puts the marks behind each letter in the order of their classes; those of one class keep theirs.
    private static func sortMarks(_ scalars: inout [Unicode.Scalar]) {
        var start = 0
        while start < scalars.count {
            guard markClass(scalars[start]) != 0 else {
                start += 1
                continue
            }
            let end = scalars[start...].firstIndex { markClass($0) == 0 } ?? scalars.count
            let sorted = scalars[start..<end].enumerated().sorted { left, right in
                (markClass(left.element), left.offset) < (markClass(right.element), right.offset)
            }
            scalars.replaceSubrange(start..<end, with: sorted.map(\.element))
            start = end
        }
    }

    /// Joins each letter with the marks behind it, as far as there is one code point for both and nothing of the same
    /// class stands between them.
    private static func compose(_ scalars: inout [Unicode.Scalar]) {
        var composed: [Unicode.Scalar] = []
        var letter: Int?
        for scalar in scalars {
            let mark = markClass(scalar)
            if let index = letter, !isBlocked(mark, between: composed[(index + 1)...]),
                let whole = whole(composed[index], scalar)
            {
                composed[index] = whole
                continue
            }
            if mark == 0 { letter = composed.count }
            composed.append(scalar)
        }
        scalars = composed
    }

    private static func isBlocked(_ mark: UInt8, between marks: ArraySlice<Unicode.Scalar>) -> Bool {
        marks.last.map { markClass($0) >= mark } ?? false
    }

    private static func markClass(_ scalar: Unicode.Scalar) -> UInt8 {
        scalar.properties.canonicalCombiningClass.rawValue
    }

    private static func whole(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        Hangul.whole(first, second) ?? wholes[Pair(first: first, second: second)]
    }

    private struct Pair: Hashable {
        let first: Unicode.Scalar
        let second: Unicode.Scalar
    }

    /// What each code point of the table consists of: one or two others.
    private static let parts: [Unicode.Scalar: [Unicode.Scalar]] = {
        var parts: [Unicode.Scalar: [Unicode.Scalar]] = [:]
        for line in table.split(separator: "\n") {
            let items = line.split(separator: " ")
            guard let start = items.first.flatMap({ UInt32($0.dropLast(), radix: 16) }) else { continue }
            for (code, item) in zip(start..., items.dropFirst()) where item != "-" {
                guard let scalar = Unicode.Scalar(code) else { continue }
                parts[scalar] = item.split(separator: "+").compactMap {
                    UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
                }
            }
        }
        return parts
    }()

    /// What two code points become, but for those that Unicode excludes from composition.
    private static let wholes: [Pair: Unicode.Scalar] = {
        var wholes: [Pair: Unicode.Scalar] = [:]
        for (scalar, parts) in parts where parts.count == 2 && !scalar.properties.isFullCompositionExclusion {
            wholes[Pair(first: parts[0], second: parts[1])] = scalar
        }
        return wholes
    }()
}

/// Korean syllables, which are composed by arithmetic (Unicode, chapter 3.12).
private enum Hangul {
    private static let syllables: UInt32 = 0xAC00
    private static let leads: UInt32 = 0x1100
    private static let vowels: UInt32 = 0x1161
    /// One before the first: a syllable may have no tail.
    private static let tails: UInt32 = 0x11A7
    private static let (leadCount, vowelCount, tailCount): (UInt32, UInt32, UInt32) = (19, 21, 28)
    private static let syllableCount = leadCount * vowelCount * tailCount

    /// The two or three letters of a syllable; `nil` for anything else.
    static func parts(of scalar: Unicode.Scalar) -> [Unicode.Scalar]? {
        guard let index = position(of: scalar, from: syllables, count: syllableCount) else { return nil }
        let tail = index % tailCount
        let codes = [
            leads + index / (vowelCount * tailCount), vowels + index / tailCount % vowelCount, tails + tail,
        ]
        return codes.prefix(tail == 0 ? 2 : 3).compactMap(Unicode.Scalar.init)
    }

    /// What a lead and a vowel, or a syllable without a tail and a tail, become.
    static func whole(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        if let lead = position(of: first, from: leads, count: leadCount),
            let vowel = position(of: second, from: vowels, count: vowelCount)
        {
            return Unicode.Scalar(syllables + (lead * vowelCount + vowel) * tailCount)
        }
        guard let open = position(of: first, from: syllables, count: syllableCount), open % tailCount == 0,
            let tail = position(of: second, from: tails, count: tailCount), tail > 0
        else { return nil }
        return Unicode.Scalar(first.value + tail)
    }

    private static func position(of scalar: Unicode.Scalar, from start: UInt32, count: UInt32) -> UInt32? {
        scalar.value >= start && scalar.value - start < count ? scalar.value - start : nil
    }
}
