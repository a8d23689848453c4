import Crypto
import Foundation

/// Signs messages as Standard Webhooks has it, by the scheme's own words and none of our code.
public struct WebhookSender: Sendable {
    public let secret: String

    public init(secret: String = WebhookSender.newSecret()) { self.secret = secret }

    public static func newSecret() -> String {
        "whsec_" + SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
    }

    public func signature(id: String, timestamp: Int, body: String) -> String {
        let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))) ?? Data()
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(id).\(timestamp).\(body)".utf8), using: SymmetricKey(data: key))
        return "v1," + Data(code).base64EncodedString()
    }

    public func headers(id: String, timestamp: Int? = nil, body: String) -> [(String, String)] {
        let timestamp = timestamp ?? Int(Date().timeIntervalSince1970)
        return [
            ("Content-Type", "application/json"), ("webhook-id", id), ("webhook-timestamp", String(timestamp)),
            ("webhook-signature", signature(id: id, timestamp: timestamp, body: body)),
        ]
    }

    /// Posts a message.
    public func send(_ body: String, id: String = UUID().uuidString, to http: RawHTTP) async throws -> RawHTTP.Answer {
        try await http.send("POST", "/webhooks/users", headers: headers(id: id, body: body), body: body)
    }
}
