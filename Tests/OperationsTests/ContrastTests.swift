import Foundation
import Testing

@testable import Operations

/// WCAG 2.1, 1.4.3: text has a contrast of 4.5 to 1 against what it stands on; lines of a plot 3 to 1 (1.4.11).
@Suite("The page's colours") struct ContrastTests {
    private static let css = String(decoding: PackageResources.page_css, as: UTF8.self)

    @Test("have enough contrast, in the light and in the dark", arguments: [0, 1])
    func contrast(scheme: Int) throws {
        let blocks = Self.css.components(separatedBy: ":root {").dropFirst().map { $0.prefix { $0 != "}" } }
        try #require(blocks.count == 2)
        let colours = try Self.colours(String(blocks[scheme]))
        for ground in ["page", "card"] {
            for text in ["text", "soft", "good", "bad"] {
                let ratio = try Self.ratio(try #require(colours[text]), try #require(colours[ground]))
                #expect(ratio >= 4.5, "\(text) on \(ground): \(ratio)")
            }
            #expect(try Self.ratio(try #require(colours["line"]), try #require(colours[ground])) >= 3)
        }
    }

    private static func colours(_ block: String) throws -> [String: [Double]] {
        var colours: [String: [Double]] = [:]
        for match in block.matches(of: #/--(\w+): #([0-9a-f]{6})/#) {
            let value = try #require(Int(match.output.2, radix: 16))
            colours[String(match.output.1)] = [16, 8, 0].map { Double(value >> $0 & 255) / 255 }
        }
        return colours
    }

    private static func ratio(_ first: [Double], _ second: [Double]) throws -> Double {
        let luminances = [first, second].map { colour in
            let linear = colour.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }.sorted()
        return (luminances[1] + 0.05) / (luminances[0] + 0.05)
    }
}
