import NIOHTTP1
import SyncCore

extension Problem {
    /// How many complaints a message joins.
    private static let messagesKept = 3

    /// Puts an error answer into words that may be kept: bounded, on one line, without anything that was sent.
    ///
    /// The code is the one that decided the class, else the first complaint's, else the status.
    init(_ complaints: [Complaint], status: Int, class refusal: RefusalClass, redaction: Redaction) {
        let decisive = complaints.first { $0.code.map(refusal.isDecided(by:)) == true } ?? complaints.first
        let messages = complaints.compactMap(\.message).filter { !$0.isEmpty }.prefix(Self.messagesKept)
        let words = redaction.applied(to: messages.joined(separator: "; "))
        self.init(
            code: Self.code(decisive?.code, redaction) ?? "http_\(status)",
            message: words.isEmpty ? "SignalWire answered with status \(status) and gave no reason." : words,
            attribute: Self.attribute(decisive?.attribute, redaction))
    }

    /// An answer with a good status that doesn't say which subscriber it is about.
    static let malformedAnswer = Problem(
        code: "malformed_answer",
        message: "SignalWire accepted the call, but its answer has no well-formed subscriber_id.")

    /// The same for whoever asked for the token itself.
    static let tokenlessAnswer = Problem(
        code: "malformed_answer", message: "SignalWire accepted the call, but its answer has no well-formed token.")

    /// Names the host alone: the rest of a location may carry anything.
    static func redirected(to headers: HTTPHeaders, redaction: Redaction) -> Problem {
        let host = headers.first(name: "location").flatMap(host(ofLocation:)).map { redaction.applied(to: $0) }
        return Problem(
            code: "redirected",
            message: "SignalWire redirects to \(host ?? "another place"), which is not followed with credentials; "
                + "set SIGNALWIRE_SPACE to the host that answers itself.")
    }

    private static func host(ofLocation location: String) -> String? {
        guard let slashes = location.firstRange(of: "//") else { return nil }
        let authority = location[slashes.upperBound...].prefix { !"/?#\\".contains($0) }
        let host = (authority.split(separator: "@").last ?? "").prefix { $0 != ":" }
        let isPlain = host.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0.isOne(of: ".-") }
        return isPlain && (1...100).contains(host.utf8.count) ? String(host) : nil
    }

    /// A code is a word of SignalWire's. One that isn't shaped like a code, or holds what we sent, is not repeated.
    private static func code(_ raw: String?, _ redaction: Redaction) -> String? {
        guard let raw, !raw.isEmpty else { return nil }
        if Complaint.knownCodes.contains(raw) { return raw }
        let isCode = raw.utf8.count <= 64 && raw.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0.isOne(of: "_.-") }
        return isCode && !redaction.isTouched(raw) ? raw : "unrecognized_code"
    }

    private static func attribute(_ raw: String?, _ redaction: Redaction) -> String? {
        guard let raw, (1...64).contains(raw.utf8.count) else { return nil }
        if requestFields.contains(raw) { return raw }
        let isName = raw.utf8.allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0.isOne(of: "_.[]") }
        return isName && !redaction.isTouched(raw) ? raw : nil
    }

    private static let requestFields = Set(ProfileField.allCases.map(\.rawValue)).union([
        "reference", "expire_at", "application_id", "password", "fingerprint", "scope",
    ])
}
