import NIOCore

/// Four numbers with dots between them, each of 0 to 255 and without leading zeros.
///
/// Stricter than resolvers are: what decides about plain http must not be read in two ways.
struct IPv4Address {
    let octets: [UInt8]

    init?(_ text: String) {
        let groups = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = groups.compactMap { group in UInt8(group).flatMap { String($0) == group ? $0 : nil } }
        guard groups.count == 4, numbers.count == 4 else { return nil }
        octets = numbers
    }

    /// 127.0.0.0/8 (RFC 1122, 3.2.1.3).
    var isLoopback: Bool { octets.first == 127 }
}

/// An IPv6 address as it stands in a URL.
struct IPv6Address {
    /// As the system writes it: `::1`, however it was spelled.
    private let canonical: String

    init?(bracketed text: String) {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        let inner = String(text.dropFirst().dropLast())
        guard inner.utf8.allSatisfy({ $0.isHexDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }),
            let address = try? SocketAddress(ipAddress: inner, port: 0), address.protocol == .inet6,
            let canonical = address.ipAddress
        else { return nil }
        self.canonical = canonical
    }

    var isLoopback: Bool { canonical == "::1" }
}
