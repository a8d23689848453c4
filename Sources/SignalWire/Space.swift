/// Where the API is: a customer's space at SignalWire, or a stand-in on this machine.
public struct Space: Sendable, Hashable, CustomStringConvertible {
    /// Scheme, host and, where it isn't the usual one, port. Nothing after it, so paths can be appended.
    public let baseURL: String
    /// Whether the host is this machine. Only there is plain http allowed, as in SignalWire's own SDKs.
    public let isLoopback: Bool

    /// Reads what people write: `acme`, `acme.signalwire.com`, `host:port`, or a URL with nothing after the host.
    ///
    /// Without a scheme it is https, and for this machine plain http, as SignalWire's own SDKs have it: what listens
    /// there is a stand-in.
    public init(parsing text: String) throws(SpaceError) {
        let parts = try SpaceParts(text)
        isLoopback = parts.isLoopback
        guard parts.scheme == .https || isLoopback else { throw .insecure }
        let port = parts.port.map { $0 == parts.scheme.usualPort ? "" : ":\($0)" } ?? ""
        baseURL = "\(parts.scheme.rawValue)://\(parts.host)\(port)"
    }

    public var description: String { baseURL }
}

/// The pieces of a space as it was written, checked one by one.
private struct SpaceParts {
    enum Scheme: String {
        case https
        case http

        var usualPort: Int {
            switch self {
            case .https: 443
            case .http: 80
            }
        }
    }

    let scheme: Scheme
    /// In lower case; an IPv6 address in its brackets.
    let host: String
    let port: Int?

    var isLoopback: Bool { Self.isLoopback(host) }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || IPv4Address(host)?.isLoopback == true
    }

    init(_ text: String) throws(SpaceError) {
        let trimmed = text.trimmed
        guard !trimmed.isEmpty else { throw .empty }
        let (scheme, rest) = try Self.splitScheme(trimmed)
        let authority = try Self.authority(of: rest)
        let (host, port) = try Self.splitPort(authority)
        self.port = port
        self.host = try Self.checkedHost(host.lowercased(), isBare: scheme == nil && port == nil)
        self.scheme = scheme ?? (Self.isLoopback(self.host) ? .http : .https)
    }

    /// A bare `localhost:8080` has no scheme: only `://` ends one.
    private static func splitScheme(_ text: String) throws(SpaceError) -> (Scheme?, Substring) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return (nil, text[...]) }
        guard let scheme = Scheme(rawValue: text[..<colon].lowercased()) else { throw .unknownScheme }
        return (scheme, text[colon...].dropFirst(3))
    }

    /// What stands between the scheme and the path. Slashes at the end are forgiven, a path isn't.
    private static func authority(of text: Substring) throws(SpaceError) -> Substring {
        let end = text.firstIndex { "/?#\\".contains($0) } ?? text.endIndex
        guard !text[..<end].contains("@") else { throw .userInfo }
        let tail = text[end...].drop { $0 == "/" }
        switch tail.first {
        case nil: return text[..<end]
        case "?", "#": throw .queryOrFragment
        case "\\": throw .invalidHost
        case .some: throw .path
        }
    }

    private static func splitPort(_ authority: Substring) throws(SpaceError) -> (Substring, Int?) {
        let isBracketed = authority.hasPrefix("[")
        let bracket = authority.firstIndex(of: "]").map(authority.index(after:))
        let start = (isBracketed ? bracket : authority.firstIndex(of: ":")) ?? authority.endIndex
        guard start < authority.endIndex else { return (authority, nil) }
        guard authority[start] == ":" else { throw .invalidHost }
        let digits = authority[start...].dropFirst()
        guard digits.utf8.allSatisfy(\.isDigit), let port = Int(digits), (1...65535).contains(port) else {
            throw .invalidPort
        }
        return (authority[..<start], port)
    }

    private static func checkedHost(_ host: String, isBare: Bool) throws(SpaceError) -> String {
        if host.hasPrefix("[") { return try checkedIPv6(host) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, labels.allSatisfy(isLabel) else { throw .invalidHost }
        // An address whose numbers aren't four of 0 to 255 is read differently by different resolvers.
        let isNumeric = labels.last?.utf8.allSatisfy(\.isDigit) == true
        guard !isNumeric || IPv4Address(host) != nil else { throw .invalidHost }
        return isBare && labels.count == 1 && host != "localhost" ? "\(host).signalwire.com" : host
    }

    private static func isLabel(_ label: Substring) -> Bool {
        guard (1...63).contains(label.utf8.count), !label.hasPrefix("-"), !label.hasSuffix("-") else { return false }
        return label.utf8.allSatisfy {
            $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }

    private static func checkedIPv6(_ host: String) throws(SpaceError) -> String {
        guard let address = IPv6Address(bracketed: host) else { throw .invalidHost }
        return address.isLoopback ? "[::1]" : host
    }
}
