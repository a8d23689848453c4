import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Operations

@Suite("The status page") struct GatekeeperTests {
    static let text = "a-token-that-nobody-guesses"

    static func status(
        _ host: String, token: String? = nil, authority: String? = "localhost:9464", authorization: String? = nil
    ) -> Int {
        var head = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/")
        if let authorization { head.headerFields[.authorization] = authorization }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        let gatekeeper = Gatekeeper(host: host, token: token.flatMap(OperationsToken.init))
        return gatekeeper.refusal(request)?.status.code ?? 200
    }

    @Test(
        "on loopback is shown under the machine's own names, and under no other that leads there",
        arguments: [
            ("localhost", 200), ("localhost:9464", 200), ("127.0.0.1:9464", 200), ("127.8.8.8", 200),
            ("[::1]:9464", 200),
            ("LOCALHOST", 200), ("a.localhost:1", 200), ("evil.example", 421), ("evil.example:9464", 421),
            ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421), ("[::1", 421), ("", 421),
            ("10.0.0.1", 421),
            ("127.0.0.1@evil.example", 421), ("[::2]:9464", 421), ("127.0.0.999", 421),
        ])
    func hosts(authority: String, status: Int) {
        for host in ["127.0.0.1", "::1", "localhost"] {
            #expect(Self.status(host, authority: authority) == status, "\(host)")
        }
    }

    @Test("on loopback is not shown to who names no host")
    func noHost() { #expect(Self.status("127.0.0.1", authority: nil) == 421) }

    @Test("beyond loopback is closed without a token", arguments: ["0.0.0.0", "::", "10.1.2.3", "sync.example.com"])
    func closed(host: String) {
        #expect(Self.status(host) == 403)
        #expect(Self.status(host, authorization: "Bearer \(Self.text)") == 403)
    }

    @Test(
        "opens to the token as a bearer's or as a password, and to nothing else",
        arguments: [
            (nil, 401), ("Bearer \(text)", 200), ("bearer \(text)", 200), ("Bearer \(text)x", 401), ("Bearer", 401),
            ("Bearer ", 401), ("Basic " + "any:\(text)".base64, 200), ("Basic " + ":\(text)".base64, 200),
            ("Basic " + "any:wrong".base64, 401), ("Basic " + text.base64, 401), ("Basic !!!", 401), (text, 401),
            ("Digest \(text)", 401), ("Basic " + "any:\(text):".base64, 401),
        ] as [(String?, Int)])
    func token(authorization: String?, status: Int) {
        for host in ["0.0.0.0", "127.0.0.1"] {
            #expect(
                Self.status(host, token: Self.text, authority: "sync.example.com", authorization: authorization)
                    == status)
        }
    }

    @Test("takes no token that could be guessed, and shows none")
    func tokens() {
        #expect(OperationsToken("fifteen-letters") == nil)
        let token = OperationsToken(Self.text)
        var dumped = "\(String(describing: token))"
        dump(token, to: &dumped)
        #expect(!dumped.contains(Self.text) && dumped.contains("(redacted)"))
    }

    @Test("remembers an hour, a sample every half minute")
    func history() async {
        let history = FleetHistory()
        for second in 0..<200 { await history.add(Samples.status, at: Double(second)) }
        let samples = await history.samples
        #expect(samples.count == 120 && samples.first?.at == 80 && samples.last?.lagSeconds == 12.5)
    }
}

extension String {
    fileprivate var base64: String { ByteBuffer(string: self).base64Encoded }
}

extension ByteBuffer {
    fileprivate var base64Encoded: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bytes = Array(readableBytesView)
        return stride(from: 0, to: bytes.count, by: 3).map { start in
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            let digits = (0...group.count).map { alphabet[bits >> (18 - 6 * $0) & 63] }
            return String(digits) + String(repeating: "=", count: 3 - group.count)
        }.joined()
    }
}
