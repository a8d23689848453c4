import Foundation
import NIOHTTP1
import SyncCore
import Testing

@testable import SignalWire

/// Every parser takes whatever it is given: it doesn't crash, hang or grow, and keeps one promise besides.
@Suite("Random and mutated input", .serialized) struct FuzzTests {}

/// What SignalWire, or somebody in its place, may answer.
extension FuzzTests {
    /// What was sent, and must not come back in what is kept.
    private static let sent = [
        "planted-reference@example.com", "Plantedfirst O'Neil & \"Søn\"", "Planted\\title\nof two lines",
        "planted-api-secret-0123456789",
    ]
    private static let token =
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..UGxhbnRlZA.UGxhbnRlZC10b2tlbi1vZi1hLXN1YnNjcmliZXI.c2VhbGVk"
    private static let redaction = Redaction(sent)

    private static let bodies =
        [
            #"{"subscriber_id":"32d94154-9297-418c-9a85-4a69e0c67c30","token":"\#(token)","refresh_token":"\#(token)"}"#,
            #"{"error":"Unauthorized"}"#, #"{"error":"insufficient_balance"}"#, "<html><body>502</body></html>",
            #"{"errors":[{"type":"validation_error","code":"invalid_parameter","message":"is \#(token) bad","#
                + #""attribute":"country","url":"https://x"},{"code":"rate_limit_exceeded"}]}"#,
            #"{"errors":["is bad",{"code":7,"message":null},[],{}]}"#, #"{"errors":{"reference":["is bad"]}}"#,
            #"{"token":"\#(token)","errors":[{"code":"\#(token)","message":"no","attribute":"\#(token)"}]}"#,
        ] + sent.map { #"{"errors":[{"code":"x","message":"Value \#(escaped($0)) is bad","attribute":"reference"}]}"# }

    private static let tokens =
        sent + sent.map(escaped) + sent.map { $0.uppercased() } + [
            token, "{", "}", "[", "]", ",", ":", "\"", "null", "true", #"\u0000"#, #"\ud800"#, #"\n"#, "errors",
            "error",
            "code", "message", "attribute", "subscriber_id", "32d94154-9297-418c-9a85-4a69e0c67c30", "token",
            "insufficient_balance",
            "rate_limit_exceeded", "\u{301}", "\u{202E}", "&quot;", "%20", "…",
        ]

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }

    private static let headerNames = ["Retry-After", "Date", "Location", "X-Request-Id", "request-id", "Content-Type"]
    private static let headerValues = [
        "7", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "https://user:\(sent[3])@other.example:8443/path?\(sent[0])", "//x", "4f3c-1", "Wed, 31 Dec 9999 23:59:60 GMT",
    ]
    private static let statuses = [200, 201, 204, 301, 302, 400, 401, 402, 403, 404, 408, 409, 422, 425, 429, 500, 503]

    /// What was sent is planted in the location only: a request's id is a server's own word, and kept as it is.
    private static func headers(_ input: inout FuzzInput) -> HTTPHeaders {
        var headers = HTTPHeaders()
        for _ in 0..<input.int(0...4) {
            let name = input.pick(headerNames)
            let samples = name == "Location" ? headerValues : headerValues.filter { !$0.contains("@") }
            headers.add(
                name: name, value: input.text(from: samples, tokens: samples + [",", ";", " ", "GMT"], limit: 600))
        }
        return headers
    }

    @Test("of an answer's status, headers and body is an outcome that holds no token and nothing that was sent")
    func answers() {
        FuzzRun.over("answers") { input in
            let status = input.once(in: 10) ? input.int(-1...1000) : input.pick(Self.statuses)
            let headers = Self.headers(&input)
            let body = input.bytes(from: Self.bodies, tokens: Self.tokens, limit: 65_536)
            let now = input.int64(0...4_000_000_000)
            let outcome = PushOutcome(
                status: status, headers: headers, body: Data(body), redaction: Self.redaction, now: now)
            var text = "\(outcome) " + String(reflecting: outcome)
            text += Exchange.Head(status: status, headers: headers).requestID ?? ""
            if let minted = MintedToken(body: Data(body), expiresAt: 1) {
                text += "\(minted) \(String(reflecting: minted))"
            }
            for secret in Self.sent + [Self.token] where text.lowercased().holds(secret.lowercased()) {
                return .broken("\(secret) shows in \(text.prefix(500)) of \(body.shown)")
            }
            return Self.judge(outcome, body)
        }
    }

    private static func judge(_ outcome: PushOutcome, _ body: [UInt8]) -> FuzzRun.Verdict {
        switch outcome {
        case .accepted: return .held
        case .throttled(let wait?, _) where !(Duration.zero...Duration.seconds(3600)).contains(wait):
            return .broken("waits \(wait)")
        case .rejected(let problem), .account(let problem), .throttled(_, let problem), .unavailable(let problem, _):
            let isBounded =
                problem.message.utf8.count <= 1600 && problem.code.utf8.count <= 64
                && (problem.attribute ?? "").utf8.count <= 64 && !problem.message.isEmpty
            let isOneLine = !problem.message.unicodeScalars.contains { $0.properties.generalCategory == .control }
            return isBounded && isOneLine
                ? .held : .broken("keeps \(problem.message.utf8.count) bytes of \(body.count): \(body.shown)")
        }
    }

    @Test("of a date is read back as it was written, in each form of HTTP, or not read")
    func dates() {
        let samples = Array(Self.headerValues[1...3])
        FuzzRun.over("HTTP dates") { input in
            let now = input.int64(0...253_402_300_799)
            _ = HTTPDate(input.text(from: samples, tokens: samples + ["Feb", "29", ":", "60", "0000"]), now: now)
            let seconds = input.int64(0...253_402_300_799)
            for form in HTTPDateForm.allCases where form != .obsolete || abs(seconds - now) < 49 * 31_556_952 {
                let text = form.written(seconds)
                guard HTTPDate(text, now: now)?.unixSeconds == seconds else {
                    return .broken("\(text) is not \(seconds) at \(now)")
                }
            }
            return .held
        }
    }

    @Test("of a space is a base that reads back as itself, https but for this machine")
    func spaces() {
        let samples = [
            "acme", "acme.signalwire.com", "https://acme.signalwire.com/", "http://127.0.0.1:8080", "[::1]:9",
            "http://localhost:1", "https://[2001:db8::1]:443", "localhost:80",
        ]
        let tokens = [
            "http://", "https://", ":", "/", "@", "[", "]", ".", "::", "?", "#", "%", "\\", "0x7f.1", "127.", "-",
        ]
        FuzzRun.over("spaces") { input in
            let text = input.text(from: samples, tokens: tokens, limit: 1000)
            guard let space = try? Space(parsing: text) else { return .held }
            guard let again = try? Space(parsing: space.baseURL), again == space else {
                return .broken("\(text.debugDescription) is \(space), which isn't itself")
            }
            let isSafe = space.baseURL.hasPrefix("https://") || space.isLoopback
            return isSafe && !space.baseURL.contains("@") ? .held : .broken(text.debugDescription)
        }
    }

    @Test("in a request is JSON that says what was meant")
    func requests() {
        FuzzRun.over("requests") { input in
            var writer = JSONObjectWriter()
            let (name, value, number) = (input.anyText(), input.anyText(upTo: 60), input.int64(.min ... .max))
            writer.add("n" + name, value)
            writer.add("i" + name, number)
            let read = try JSONDecoder().decode([String: JSONLeaf].self, from: Data(writer.finished()))
            return read == ["n" + name: .text(value), "i" + name: .number(number)]
                ? .held : .broken("\(name.debugDescription): \(value.debugDescription)")
        }
    }
}

/// A text or a whole number.
private enum JSONLeaf: Decodable, Equatable {
    case text(String)
    case number(Int64)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .number(try container.decode(Int64.self))
        }
    }
}

/// The three ways in which HTTP writes a date, by another's arithmetic than the parser's.
private enum HTTPDateForm: CaseIterable {
    case usual, obsolete, asctime

    func written(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let form =
            switch self {
            case .usual: "%a, %d %b %Y %H:%M:%S GMT"
            case .obsolete: "%A, %d-%b-%y %H:%M:%S GMT"
            case .asctime: "%a %b %e %H:%M:%S %Y"
            }
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, form, &parts)
        let text = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text
    }
}
