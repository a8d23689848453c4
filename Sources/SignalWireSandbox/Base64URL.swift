import FoundationEssentials

/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5), as JWE segments have it.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        let plain = Data(bytes).base64EncodedData().lazy.filter { $0 != UInt8(ascii: "=") }.map(toURLAlphabet)
        return String(decoding: Array(plain), as: UTF8.self)
    }

    /// `nil` where the text is not base64url.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard !text.utf8.contains(where: { "+/=".utf8.contains($0) }) else { return nil }
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let plain = String(decoding: text.utf8.map(fromURLAlphabet), as: UTF8.self) + padding
        return Data(base64Encoded: plain).map { [UInt8]($0) }
    }

    private static func toURLAlphabet(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: byte
        }
    }

    private static func fromURLAlphabet(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "-"): UInt8(ascii: "+")
        case UInt8(ascii: "_"): UInt8(ascii: "/")
        default: byte
        }
    }
}
