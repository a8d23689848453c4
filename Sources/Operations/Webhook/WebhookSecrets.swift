import Crypto
import FoundationEssentials

/// The secrets that a message may be signed with: one, or several while they are being changed.
///
/// A secret is 24 bytes or more, as base64, with `whsec_` in front or without, as Standard Webhooks has it. It prints
/// itself redacted.
public struct WebhookSecrets: Sendable, Hashable {
    private let keys: [[UInt8]]

    /// What is wrong with a text that should be secrets; it quotes nothing of it.
    public enum Problem: Error, Sendable, Hashable {
        case empty
        case notBase64
        case tooShort
        case tooMany
    }

    private static let prefix = "whsec_"
    private static let fewestBytes = 24
    private static let most = 8

    /// - Parameter text: secrets with commas or white space between them.
    public init(parsing text: String) throws(Problem) {
        let parts = text.split { $0 == "," || $0.isWhitespace }
        guard !parts.isEmpty else { throw .empty }
        guard parts.count <= WebhookSecrets.most else { throw .tooMany }
        var keys: [[UInt8]] = []
        for part in parts { keys.append(try WebhookSecrets.key(part)) }
        self.keys = keys
    }

    private static func key(_ text: Substring) throws(Problem) -> [UInt8] {
        let encoded = text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : text
        guard let bytes = Data(base64Encoded: String(encoded)) else { throw .notBase64 }
        guard bytes.count >= fewestBytes else { throw .tooShort }
        return Array(bytes)
    }

    /// Whether one of the signatures is one of these secrets' for the message.
    ///
    /// Each is compared in a time that doesn't depend on where it differs.
    ///
    /// - Parameter signatures: the header: versions and signatures, `v1,…`, with blanks between them. Of other versions
    ///   we know nothing.
    func verify(_ signatures: String, of content: [UInt8]) -> Bool {
        let offered = signatures.split(separator: " ").prefix(WebhookSecrets.most).compactMap { part in
            part.hasPrefix("v1,") ? Data(base64Encoded: String(part.dropFirst(3))) : nil
        }
        return keys.contains { key in
            let key = SymmetricKey(data: key)
            return offered.contains {
                HMAC<SHA256>.isValidAuthenticationCode($0, authenticating: content, using: key)
            }
        }
    }
}

extension WebhookSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "(redacted)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
