import Foundation
import SyncCore
import Testing

@testable import Operations

/// What anybody can send to the webhook.
extension FuzzTests {
    private static let messages = [
        #"{"data":{"user_key":"42"}}"#, #"{"data":[{"user_key":1},{"user_key":"☃"}]}"#,
        #"{"type":"UPDATE","record":{"id":7},"old_record":{"id":6}}"#,
        #"{"event":{"data":{"new":{"id":"a"},"old":null}}}"#, #"[[[{"data":{"user_key":9223372036854775808}}]]]"#,
    ]
    private static let parts = [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "\"data\":", "\"user_key\":", "1e308", "-0", "0.5",
        #"\u0000"#,
        #"\ud83d"#, "\"id\":", "[[[[[[[[", "1e-5", "123456789012345678901234567890123456789",
    ]

    @Test("in a message names keys that the database can be asked for, or none")
    func messages() {
        let body = WebhookBody(
            paths: ["data.user_key", "record.id", "old_record.id", "event.data.new.id"].compactMap(KeyPath.init))
        FuzzRun.over("webhook bodies") { input in
            let bytes = input.bytes(from: Self.messages, tokens: Self.parts, limit: 65_536)
            guard let keys = try? body.keys(in: bytes) else { return .held }
            let isSound = keys.allSatisfy {
                !$0.text.isEmpty && $0.text.utf8.count <= 1024 && !$0.text.utf8.contains(0)
            }
            guard isSound, Set(keys).count == keys.count, (1...WebhookBody.mostKeys).contains(keys.count) else {
                return .broken(bytes.shown)
            }
            return .held
        }
    }

    @Test("in the headers of a message is refused unless it was signed")
    func envelopes() throws {
        let secrets = try WebhookSecrets(parsing: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        let body = Array(#"{"test": 2432232314}"#.utf8)
        FuzzRun.over("webhook headers") { input in
            let id = input.text(from: ["msg_p5jXN8AQM9LWM0D4loKWxJek"], tokens: [".", "\n", "a"], limit: 300)
            let time = input.text(from: ["1614265330"], tokens: ["9", "-", " "], limit: 30)
            let signed = input.text(from: [signature], tokens: ["v1,", " ", "=", "A", "v2,"], limit: 5000)
            guard let envelope = WebhookEnvelope(id: id, timestamp: time, signatures: signed) else { return .held }
            _ = envelope.isFresh(at: 1_614_265_330)
            guard secrets.verify(envelope.signatures, of: envelope.content(body)) else { return .held }
            let isThatOne = id == "msg_p5jXN8AQM9LWM0D4loKWxJek" && time == "1614265330"
            return isThatOne ? .held : .broken("\(id) \(time) \(signed)")
        }
    }
}
