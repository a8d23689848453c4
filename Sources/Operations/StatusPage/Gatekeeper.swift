import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Who may look at the status page.
///
/// On loopback everybody on this machine may, but no page of another site in somebody's browser: a name that was made
/// to lead here by DNS is known by the Host header, and refused. Beyond loopback the token opens it, as a bearer token
/// or as the password of a browser's own login, and nothing does where there is none.
struct Gatekeeper: Sendable {
    /// The address that is listened on.
    let host: String
    let token: OperationsToken?

    /// Why not, or `nil`.
    func refusal(_ request: Request) -> Response? {
        if let token {
            return isOpened(by: request.headers[.authorization], token) ? nil : .login
        }
        guard Gatekeeper.isLoopback(host) else {
            return .text(.forbidden, "the status page is shown beyond loopback only with operations.token")
        }
        let isOurs = request.head.authority.map(Gatekeeper.isLoopbackAuthority) ?? false
        return isOurs ? nil : .text(.misdirectedRequest, "this address is not known by that name")
    }

    private func isOpened(by authorization: String?, _ token: OperationsToken) -> Bool {
        guard let authorization, let blank = authorization.firstIndex(of: " ") else { return false }
        let value = authorization[authorization.index(after: blank)...]
        switch authorization[..<blank].lowercased() {
        case "bearer": return token.opens(String(value))
        case "basic":
            guard let pair = Data(base64Encoded: String(value)).flatMap({ String(validating: $0, as: UTF8.self) }),
                let colon = pair.firstIndex(of: ":")
            else { return false }
            return token.opens(String(pair[pair.index(after: colon)...]))
        case _: return false
        }
    }

    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        return host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || isIPv4Loopback(host)
    }

    /// A host with or without a port.
    static func isLoopbackAuthority(_ authority: String) -> Bool {
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return false }
            return isLoopback(String(authority[authority.index(after: authority.startIndex)..<bracket]))
        }
        return isLoopback(String(authority.prefix { $0 != ":" }))
    }

    private static func isIPv4Loopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// The secret that opens the status page. It prints itself redacted.
public struct OperationsToken: Sendable, Hashable {
    private let digest: [UInt8]

    static let shortest = 16

    /// `nil` where the text is too short to withstand guessing.
    public init?(_ text: String) {
        guard text.utf8.count >= OperationsToken.shortest else { return nil }
        digest = Array(SHA256.hash(data: Data(text.utf8)))
    }

    /// Compared by digests, in a time that depends on neither.
    func opens(_ text: String) -> Bool {
        let offered = SHA256.hash(data: Data(text.utf8))
        return zip(digest, offered).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension OperationsToken: CustomStringConvertible, CustomReflectable {
    public var description: String { "(redacted)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Response {
    /// A browser asks for name and password then, and the name doesn't matter.
    fileprivate static var login: Response {
        var response = Response.text(.unauthorized, "the password is operations.token; the name doesn't matter")
        response.headers[.wwwAuthenticate] = "Basic realm=\"subscriber-sync\", charset=\"UTF-8\""
        return response
    }
}
