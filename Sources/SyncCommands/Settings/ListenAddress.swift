/// Where the operations endpoints listen.
struct ListenAddress: Sendable, Hashable {
    /// A name or an address, without brackets.
    let host: String
    /// 0: a free one.
    let port: Int
}

extension ListenAddress: CustomStringConvertible {
    /// Reads `host:port` or `[address]:port`.
    init(parsing text: String) throws(ValueProblem) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ValueProblem("has no port")
        }
        let host = try ListenAddress.host(text[..<colon])
        self.init(host: host, port: Int(port))
    }

    var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

    /// An IPv6 address stands in brackets, because it has colons of its own.
    private static func host(_ text: Substring) throws(ValueProblem) -> String {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let host = isBracketed ? text.dropFirst().dropLast() : text
        guard !host.isEmpty else { throw ValueProblem("has no host") }
        guard isBracketed == host.contains(":"), host.allSatisfy(isHostCharacter) else {
            throw ValueProblem("is not host:port")
        }
        return String(host)
    }

    private static func isHostCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || ".-_:%".contains(character))
    }
}

extension ValueSyntax where Value == ListenAddress? {
    /// An address; empty is off.
    static var listenAddress: Self {
        Self(
            form: "host:port, such as 127.0.0.1:9464 or [::1]:9464, or nothing to turn it off",
            parse: { text throws(ValueProblem) in text.isEmpty ? nil : try ListenAddress(parsing: text) },
            render: { $0?.description ?? "" })
    }
}
