import TestSupport
import Testing

@testable import Operations

@Suite("A message's signature") struct WebhookSignatureTests {
    /// The vector of the scheme's reference implementations.
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    static let timestamp = "1614265330"
    static let body = #"{"test": 2432232314}"#
    static let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    static func verifies(
        _ signatures: String, secrets: String = secret, id: String = id, timestamp: String = timestamp,
        body: String = body
    ) throws -> Bool {
        let envelope = try #require(WebhookEnvelope(id: id, timestamp: timestamp, signatures: signatures))
        return try WebhookSecrets(parsing: secrets).verify(
            envelope.signatures, of: envelope.content(Array(body.utf8)))
    }

    @Test("is taken as the scheme's reference vector has it, with whsec_ or without")
    func referenceVector() throws {
        #expect(try Self.verifies(Self.signature))
        #expect(try Self.verifies(Self.signature, secrets: String(Self.secret.dropFirst(6))))
    }

    @Test("is refused where anything of the message is another")
    func tampered() throws {
        #expect(try !Self.verifies(Self.signature, id: Self.id + "x"))
        #expect(try !Self.verifies(Self.signature, timestamp: "1614265331"))
        #expect(try !Self.verifies(Self.signature, body: Self.body + " "))
        #expect(try !Self.verifies(Self.signature, secrets: WebhookSender.newSecret()))
        for wrong in ["", "v1,", "v1", "v1,g0hM", "v2" + Self.signature.dropFirst(2), "v1a,xyz", "v1,!!!", " "] {
            #expect(try !Self.verifies(wrong), "\(wrong)")
        }
        // One bit, at each place.
        for index in Self.signature.indices.dropFirst(3).dropLast() {
            var other = Self.signature
            other.replaceSubrange(index...index, with: Self.signature[index] == "A" ? "B" : "A")
            if other != Self.signature { #expect(try !Self.verifies(other)) }
        }
    }

    @Test("is one of several, of which the sender may send some of versions that we don't know")
    func several() throws {
        #expect(try Self.verifies("v1a,bm90aGluZw== v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= " + Self.signature))
        let flood = Array(repeating: "v1,AAAA", count: 100).joined(separator: " ")
        #expect(try !Self.verifies(flood + " " + Self.signature))
    }

    @Test("may be of the old secret or the new one while it is being changed")
    func rotation() throws {
        let (old, new) = (WebhookSender(), WebhookSender())
        for sender in [old, new] {
            let signature = sender.signature(id: Self.id, timestamp: 1_614_265_330, body: Self.body)
            #expect(try Self.verifies(signature, secrets: "\(old.secret), \(new.secret)"))
            #expect(try Self.verifies(signature, secrets: "\(new.secret) \(old.secret)"))
        }
    }

    @Test("needs a secret of 24 bytes of base64, and no problem with one quotes it")
    func secrets() {
        for (text, problem) in [
            (" ", WebhookSecrets.Problem.empty), ("whsec_", .tooShort), ("whsec_not base64", .notBase64),
            ("whsec_c2hvcnQ=", .tooShort), (Array(repeating: Self.secret, count: 9).joined(separator: ","), .tooMany),
        ] {
            #expect(throws: problem) { try WebhookSecrets(parsing: text) }
        }
        let secrets = try? WebhookSecrets(parsing: Self.secret)
        #expect(secrets.map { "\($0) \(String(reflecting: $0))" }?.contains("MfKQ") == false)
        var dumped = ""
        dump(secrets, to: &dumped)
        #expect(!dumped.contains("49") && !dumped.contains("MfKQ"))
    }

    @Test("stands for five minutes, by a clock that may be behind or ahead")
    func freshness() throws {
        let envelope = try #require(WebhookEnvelope(id: "a", timestamp: "1000", signatures: ""))
        for (now, isFresh) in [
            (1000, true), (1300, true), (700, true), (1301, false), (699, false), (Int64.min, false),
        ] {
            #expect(envelope.isFresh(at: Int64(now)) == isFresh, "\(now)")
        }
    }

    @Test("comes with headers that can be what they should, or it isn't looked at")
    func envelopes() {
        let long = String(repeating: "a", count: 257)
        for (id, timestamp) in [
            ("", "1"), (long, "1"), ("a b", "1"), ("a\u{7F}", "1"), ("ä", "1"), ("a", ""), ("a", "-1"), ("a", "1.0"),
            ("a", "99999999999999999999"), ("a", " 1"),
        ] {
            #expect(WebhookEnvelope(id: id, timestamp: timestamp, signatures: "v1,") == nil, "\(id) \(timestamp)")
        }
        #expect(WebhookEnvelope(id: nil, timestamp: "1", signatures: "") == nil)
    }
}
