/// What stands on the outside of a message: its id, when it was sent, and its signatures.
struct WebhookEnvelope: Sendable, Hashable {
    let id: String
    /// As it was written, which the signature covers.
    let timestamp: String
    let signatures: String

    /// How old a message may be, or how far ahead of our clock, in seconds.
    static let tolerance: Int64 = 300
    private static let longestID = 256
    private static let longestSignatures = 4096

    /// `nil` where a header is missing or can't be what it should.
    init?(id: String?, timestamp: String?, signatures: String?) {
        guard let id, let timestamp, let signatures, (1...WebhookEnvelope.longestID).contains(id.utf8.count),
            id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !timestamp.isEmpty, timestamp.utf8.allSatisfy({ (0x30...0x39).contains($0) }), Int64(timestamp) != nil,
            signatures.utf8.count <= WebhookEnvelope.longestSignatures
        else { return nil }
        self.id = id
        self.timestamp = timestamp
        self.signatures = signatures
    }

    /// Whether it was sent just now, by seconds since 1970.
    func isFresh(at now: Int64) -> Bool {
        guard let sent = Int64(timestamp) else { return false }
        let (age, overflow) = now.subtractingReportingOverflow(sent)
        return !overflow && age.magnitude <= UInt64(WebhookEnvelope.tolerance)
    }

    /// What is signed.
    func content(_ body: [UInt8]) -> [UInt8] { Array("\(id).\(timestamp).".utf8) + body }
}
