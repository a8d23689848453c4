import SyncCore

/// One input in the making: everything in it follows from its seed.
struct FuzzInput {
    let seed: UInt64
    private(set) var random: SeededRandom

    init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed)
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func int64(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    /// True once in so many times.
    mutating func once(in times: Int) -> Bool { int(1...times) == 1 }

    /// One of them; the list has at least one.
    mutating func pick<Element>(_ list: [Element]) -> Element { list[int(0...list.count - 1)] }

    /// A sample that was changed a few times, or something made up of nothing but tokens and noise.
    ///
    /// - Parameter limit: in bytes.
    mutating func bytes(from samples: [String], tokens: [String], limit: Int = 8192) -> [UInt8] {
        var bytes: [UInt8]
        if once(in: 5) {
            bytes = []
            for _ in 0..<int(0...12) { bytes += once(in: 4) ? noise() : Array(pick(tokens).utf8) }
        } else {
            bytes = Array(pick(samples).utf8)
        }
        for _ in 0..<(once(in: 8) ? 0 : int(1...6)) { mutate(&bytes, samples, tokens) }
        if bytes.count > limit { bytes.removeLast(bytes.count - limit) }
        return bytes
    }

    /// The same as text; bytes that aren't UTF-8 are its replacement character.
    mutating func text(from samples: [String], tokens: [String], limit: Int = 8192) -> String {
        String(decoding: bytes(from: samples, tokens: tokens, limit: limit), as: UTF8.self)
    }

    /// Any text at all, of so many scalars.
    mutating func anyText(upTo count: Int = 24) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<int(0...count) { text.append(scalar()) }
        return String(text)
    }

    private mutating func scalar() -> Unicode.Scalar {
        switch int(0...9) {
        case 0...4: return Unicode.Scalar(UInt8(int(0x20...0x7E)))
        case 5: return Unicode.Scalar(UInt8(int(0...0x1F)))
        case 6: return pick(["\u{301}", "\u{200D}", "\u{202E}", "\u{FEFF}", "\u{0}", "ß", "İ", "\u{85}", "\u{2028}"])
        default: return Unicode.Scalar(UInt32(int(0...0x10FFFF))) ?? "\u{FFFD}"
        }
    }

    private mutating func noise() -> [UInt8] {
        (0..<int(0...16)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    // MARK: Mutations

    private mutating func mutate(_ bytes: inout [UInt8], _ samples: [String], _ tokens: [String]) {
        let place = int(0...bytes.count)
        switch int(0...10) {
        case 0: if !bytes.isEmpty { bytes[int(0...bytes.count - 1)] ^= 1 << UInt8(int(0...7)) }
        case 1: if !bytes.isEmpty { bytes[int(0...bytes.count - 1)] = UInt8(truncatingIfNeeded: random.next()) }
        case 2: bytes.removeSubrange(part(of: bytes))
        case 3: bytes.insert(contentsOf: bytes[part(of: bytes)], at: place)
        case 4, 5: bytes.insert(contentsOf: pick(tokens).utf8, at: place)
        case 6: bytes.removeLast(bytes.count - place)
        case 7:
            let other = Array(pick(samples).utf8)
            bytes = Array(bytes[..<place]) + other[int(0...other.count)...]
        case 8: bytes.insert(contentsOf: pick(FuzzInput.numbers).utf8, at: place)
        case 9: bytes.insert(contentsOf: pick(FuzzInput.brokenUTF8), at: place)
        default: repeatSomething(&bytes, at: place, tokens)
        }
    }

    /// Deep nesting, and whatever else comes of the same thing often.
    private mutating func repeatSomething(_ bytes: inout [UInt8], at place: Int, _ tokens: [String]) {
        let token = Array(pick(tokens + ["[", "{\"a\":", "(", "a", " ", "\u{301}", "\\", "0"]).utf8)
        let times = min(1 << int(0...13), 65_536 / max(token.count, 1))
        bytes.insert(contentsOf: repeatElement(token, count: times).joined(), at: place)
    }

    private mutating func part(of bytes: [UInt8]) -> Range<Int> {
        let start = int(0...bytes.count)
        return start..<min(bytes.count, start + int(0...32))
    }

    private static let numbers = [
        "0", "-1", "1e400", "-0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1.5",
        "4294967296", "00", "18446744073709551616", "1e-400", "0x10", "99999999999999999999999999999999", "2147483647",
        "+1", "1_000", "NaN", "٣",
    ]

    private static let brokenUTF8: [[UInt8]] = [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80], [0xEF, 0xBB, 0xBF],
        [0xFE, 0xFF], [0], [0xF0, 0x9F, 0x91],
    ]
}
