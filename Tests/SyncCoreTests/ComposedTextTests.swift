import Foundation
import Testing

@testable import SyncCore

/// Foundation has an implementation of its own, with data of its own. It leaves a Korean syllable and a tail behind it
/// apart (seen with Swift 6.3), so that is tested by itself.
@Suite("Normal form C")
struct ComposedTextTests {
    private static func agrees(_ text: String) -> Bool {
        Array(ComposedText.of(text).unicodeScalars) == Array(text.precomposedStringWithCanonicalMapping.unicodeScalars)
    }

    @Test("of each code point, alone and taken apart, is what Foundation makes of it")
    func everyScalar() {
        for code in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(code), scalar.properties.generalCategory != .unassigned else { continue }
            let text = String(scalar)
            let apart = text.decomposedStringWithCanonicalMapping
            let isRight = Self.agrees(text) && Self.agrees(apart)
            if !isRight { Issue.record("U+\(String(code, radix: 16))") }
        }
    }

    @Test("of letters with marks in any order is what Foundation makes of them")
    func mixtures() {
        let marks = (UInt32(0x300)...0x36F).compactMap(Unicode.Scalar.init)
        let letters = "aAeEoOuUiIcCsSzZäÄêệÅỏ가한の\u{30AB}\u{309A}\u{3099}\u{915}\u{937}\u{93F}\u{5D0}\u{5E9}\u{5C1}👩"
            .unicodeScalars
        let scalars = Array(letters) + marks + [Unicode.Scalar(0x200D), Unicode.Scalar(0x0344)].compactMap { $0 }
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...8, using: &random)
            let others = (0..<count).compactMap { _ in scalars.randomElement(using: &random) }
            let text = String(
                String.UnicodeScalarView(letters.randomElement(using: &random).map { [$0] + others } ?? []))
            let once = ComposedText.of(text)
            #expect(Self.agrees(text) && ComposedText.of(once) == once, "\(text.unicodeScalars.map { $0 })")
        }
    }

    @Test("joins a Korean syllable and its tail")
    func tails() {
        for before in ["", "a", "\u{33E}"] {
            #expect(
                Array(ComposedText.of(before + "\u{AC00}\u{11A8}").unicodeScalars)
                    == Array((before + "\u{AC01}").unicodeScalars))
        }
    }

    @Test("makes one text of a name however it was typed")
    func names() {
        for name in ["Zoë", "Ångström", "Nguyễn", "한국", "ガ", "Ёлкина"] {
            #expect(
                Array(ComposedText.of(name.decomposedStringWithCanonicalMapping).utf8)
                    == Array(ComposedText.of(name).utf8))
        }
    }
}
