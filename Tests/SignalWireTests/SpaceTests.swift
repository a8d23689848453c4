import SignalWire
import Testing

@Suite("A space")
struct SpaceTests {
    @Test(
        "is read from everything that people write",
        arguments: [
            ("acme", "https://acme.signalwire.com"),
            ("  Acme\n", "https://acme.signalwire.com"),
            ("acme/", "https://acme.signalwire.com"),
            ("acme.signalwire.com", "https://acme.signalwire.com"),
            ("ACME.SignalWire.com//", "https://acme.signalwire.com"),
            ("https://acme.signalwire.com", "https://acme.signalwire.com"),
            ("HTTPS://acme.signalwire.com/", "https://acme.signalwire.com"),
            ("https://acme.signalwire.com:443", "https://acme.signalwire.com"),
            ("api.example.com:8443", "https://api.example.com:8443"),
            ("sandbox:8443", "https://sandbox:8443"),
            ("https://sandbox", "https://sandbox"),
            ("localhost", "http://localhost"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8871", "http://127.0.0.1:8871"),
            ("[::1]:8871", "http://[::1]:8871"),
            ("[0:0:0:0:0:0:0:1]", "http://[::1]"),
            ("127.9.9.9/", "http://127.9.9.9"),
            ("localhost:443", "http://localhost:443"),
            ("https://localhost:8080", "https://localhost:8080"),
            ("localhost.example:8080", "https://localhost.example:8080"),
            ("[2001:db8::7]:8443", "https://[2001:db8::7]:8443"),
            ("http://localhost:8080/", "http://localhost:8080"),
            ("http://localhost:80", "http://localhost"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://127.255.3.4", "http://127.255.3.4"),
            ("http://[::1]:9000/", "http://[::1]:9000"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
            ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443"),
            ("10.0.0.7", "https://10.0.0.7"),
        ])
    func reading(text: String, url: String) throws {
        #expect(try Space(parsing: text).baseURL == url)
    }

    @Test(
        "is refused, with its reason, where it is anything else",
        arguments: [
            ("", SpaceError.empty), ("  \t", .empty),
            ("ftp://acme.signalwire.com", .unknownScheme), ("wss://acme.signalwire.com", .unknownScheme),
            ("://acme", .unknownScheme),
            ("http://acme.signalwire.com", .insecure), ("http://10.0.0.7:8080", .insecure),
            ("http://localhost.evil.example", .insecure), ("http://127.0.0.1.evil.example", .insecure),
            ("http://[2001:db8::1]", .insecure), ("http://128.0.0.1", .insecure),
            ("http://127.0.0.1@evil.example", .userInfo), ("https://user:word@acme.signalwire.com", .userInfo),
            ("acme.signalwire.com/api", .path), ("https://acme.signalwire.com/api/fabric/", .path),
            ("https://acme.signalwire.com//x", .path),
            ("https://acme.signalwire.com?x=1", .queryOrFragment), ("acme#top", .queryOrFragment),
            ("https://acme.signalwire.com/?x=1", .queryOrFragment),
            ("https://", .invalidHost), ("ac me", .invalidHost), ("acme..com", .invalidHost), ("-acme", .invalidHost),
            ("äcme", .invalidHost), ("acme\\evil", .invalidHost), ("[::1", .invalidHost), ("::1", .invalidPort),
            ("http://127.1", .invalidHost), ("http://2130706433", .invalidHost), ("http://0127.0.0.1", .invalidHost),
            ("[acme]", .invalidHost), ("[::1]x", .invalidHost), ("acme\u{0}", .invalidHost),
            ("acme.example:0", .invalidPort), ("acme.example:65536", .invalidPort), ("acme.example:", .invalidPort),
            ("acme.example:80a", .invalidPort), ("acme.example:-1", .invalidPort),
        ])
    func refusing(text: String, error: SpaceError) {
        #expect(throws: error) { try Space(parsing: text) }
    }

    @Test(
        "knows whether it is this machine",
        arguments: [("http://127.0.0.9", true), ("localhost", true), ("acme", false)])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try Space(parsing: text).isLoopback == isLoopback)
    }

    @Test("has one sentence and one hint for each error", arguments: SpaceError.allCases)
    func sentences(error: SpaceError) {
        for text in [error.message, error.hint] {
            #expect(text.hasSuffix("."))
            #expect(!text.contains("\n"))
        }
    }
}
