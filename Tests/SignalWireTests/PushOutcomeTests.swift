import NIOHTTP1
import SyncCore
import Testing

@testable import SignalWire

@Suite("The outcome of an answer")
struct PushOutcomeTests {
    /// The class that an answer belongs to, without its words.
    enum Kind: Sendable {
        case rejected, throttled, unavailable, account

        init?(_ outcome: PushOutcome) {
            switch outcome {
            case .accepted: return nil
            case .rejected: self = .rejected
            case .throttled: self = .throttled
            case .unavailable(_, .answered): self = .unavailable
            case .unavailable(_, .notSent), .unavailable(_, .unanswered): return nil
            case .account: self = .account
            }
        }
    }

    /// Every status that means something of its own, and neighbours of each class.
    private static let byStatus: [(status: Int, kind: Kind)] = [
        (100, .unavailable), (101, .unavailable), (199, .unavailable),
        (300, .rejected), (301, .rejected), (302, .rejected), (304, .rejected), (307, .rejected), (308, .rejected),
        (400, .rejected), (401, .account), (402, .rejected), (403, .account), (404, .rejected), (405, .rejected),
        (408, .unavailable), (409, .rejected), (410, .rejected), (413, .rejected), (415, .rejected), (418, .rejected),
        (422, .rejected), (425, .unavailable), (426, .rejected), (429, .throttled), (451, .rejected), (499, .rejected),
        (500, .unavailable), (501, .unavailable), (502, .unavailable), (503, .unavailable), (504, .unavailable),
        (520, .unavailable), (599, .unavailable), (600, .unavailable), (999, .unavailable),
    ]

    /// Bodies without a code that decides.
    private static let plainBodies = [
        "", "{}", "[]", "null", "42", "\u{0}\u{1}", "<html><body>Bad Gateway</body></html>",
        #"{"error":"Unauthorized"}"#,
        #"{"error":{"message":"deep"}}"#, #"{"errors":[]}"#, #"{"errors":{"reference":["is bad"]}}"#,
        #"{"errors":["is bad"]}"#, #"{"errors":[{"code":7,"message":null}]}"#,
        #"{"errors":[{"type":"validation_error","code":"invalid_parameter","message":"is bad","attribute":"country","url":"u"}]}"#,
        #"{"errors":[{"code":"invalid_parameter"}"#,
    ]

    @Test("follows the status, whatever the body looks like")
    func statuses() {
        for (status, kind) in Self.byStatus {
            for body in Self.plainBodies {
                let outcome = PushOutcome.of(status, body)
                #expect(Kind(outcome) == kind, "status \(status), body \(body)")
                #expect(outcome.problem?.message.isEmpty == false)
            }
        }
    }

    @Test("follows an account code on any 4xx, wherever it stands in the list")
    func accountCodes() {
        for code in [
            "insufficient_balance", "account_limit_exceeded", "not_allowed_on_subscription_plan",
            "feature_not_available",
        ] {
            for body in Self.bodies(with: code) {
                for (status, kind) in Self.byStatus {
                    let outcome = PushOutcome.of(status, body)
                    let isClientError = (400..<500).contains(status)
                    #expect(Kind(outcome) == (isClientError ? .account : kind), "status \(status), body \(body)")
                    if isClientError { #expect(outcome.problem?.code == code) }
                }
            }
        }
    }

    @Test("follows the throttle code on any 4xx and 5xx, wherever it stands in the list")
    func throttleCode() {
        for body in Self.bodies(with: "rate_limit_exceeded") {
            for (status, kind) in Self.byStatus {
                let outcome = PushOutcome.of(status, body)
                let isError = (400..<600).contains(status)
                #expect(Kind(outcome) == (isError ? .throttled : kind), "status \(status), body \(body)")
                if isError { #expect(outcome.problem?.code == "rate_limit_exceeded") }
            }
        }
    }

    @Test("believes a code of the account more than one of the rate")
    func bothCodes() {
        let body = #"{"errors":[{"code":"rate_limit_exceeded"},{"code":"insufficient_balance","message":"Top up."}]}"#
        #expect(PushOutcome.of(429, body) == .account(Problem(code: "insufficient_balance", message: "Top up.")))
    }

    @Test("is accepted for any 2xx with a subscriber_id, and keeps nothing else", arguments: [200, 201, 202, 207, 299])
    func accepted(status: Int) throws {
        let id = try #require(SubscriberID(sampleSubscriber))
        #expect(PushOutcome.of(status, acceptedBody) == .accepted(id))
        let upper = #"{"more":[1,{"x":null}],"subscriber_id":"\#(sampleSubscriber.uppercased())","token":7}"#
        #expect(PushOutcome.of(status, upper) == .accepted(id))
    }

    @Test(
        "is unavailable for a 2xx that doesn't say whose",
        arguments: [
            "", "{}", "null", "[]", "ok", #"{"subscriber_id":null}"#, #"{"subscriber_id":7}"#, #"{"subscriber_id":""}"#,
            #"{"subscriber_id":"not-a-uuid"}"#, #"{"id":"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}"#,
            #"{"subscriber_id":"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9""#,
        ])
    func malformed(body: String) {
        let outcome = PushOutcome.of(200, body)
        guard case .unavailable(let problem, .answered) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(problem.code == "malformed_answer")
    }

    @Test("takes code, message and attribute from the first complaint, and joins up to three messages")
    func words() {
        let entries = (1...5).map { #"{"code":"code_\#($0)","message":"Message \#($0).","attribute":"field_\#($0)"}"# }
        let outcome = PushOutcome.of(422, #"{"errors":[\#(entries.joined(separator: ","))]}"#)
        #expect(
            outcome
                == .rejected(
                    Problem(
                        code: "code_1", message: "Message 1.; Message 2.; Message 3.", attribute: "field_1")))
    }

    @Test(
        "has the status as its code where the body names none",
        arguments: [
            (401, #"{"error":"Unauthorized"}"#), (500, #"{"error":"Internal Server Error"}"#), (502, "<html>"),
            (418, ""),
        ])
    func statusCodes(status: Int, body: String) {
        #expect(PushOutcome.of(status, body).problem?.code == "http_\(status)")
    }

    @Test("says what the plain error says")
    func plainError() {
        #expect(PushOutcome.of(401, #"{"error":"Unauthorized"}"#).problem?.message == "Unauthorized")
        #expect(
            PushOutcome.of(402, #"{"error":"insufficient_balance"}"#)
                == .account(
                    Problem(code: "insufficient_balance", message: "insufficient_balance")))
    }

    @Test(
        "repeats no code and no attribute that isn't shaped like one",
        arguments: ["with space", "line\\nbreak", "ünicode", "<b>", String(repeating: "x", count: 65)])
    func shapes(text: String) {
        let body = #"{"errors":[{"code":"\#(text)","message":"m","attribute":"\#(text)"}]}"#
        #expect(PushOutcome.of(422, body) == .rejected(Problem(code: "unrecognized_code", message: "m")))
    }

    @Test("of a 429 carries how long to wait, if that can be read")
    func throttled() {
        for (text, expected) in [("7", Duration.seconds(7)), ("garbage", nil)] {
            guard case .throttled(let wait, let problem) = PushOutcome.of(429, headers: ["Retry-After": text]) else {
                Issue.record("not throttled")
                continue
            }
            #expect(wait == expected)
            #expect(problem.code == "http_429")
        }
    }

    @Test(
        "of a redirect names the host it points to, and nothing after it",
        arguments: [
            ("https://user:word@elsewhere.example:8443/login?token=x", "redirects to elsewhere.example, "),
            ("//elsewhere.example/x", "redirects to elsewhere.example, "),
            ("/login?next=secret", "redirects to another place, "),
            ("https://bad host/", "redirects to another place, "),
            ("", "redirects to another place, "),
        ])
    func redirects(location: String, words: String) {
        let outcome = PushOutcome.of(302, headers: ["Location": location])
        guard case .rejected(let problem) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(problem.code == "redirected")
        #expect(problem.message.contains(words))
        for secret in ["word", "login", "token", "secret"] { #expect(!problem.message.contains(secret)) }
    }

    /// The code alone, first, last, and in the place of the plain error.
    private static func bodies(with code: String) -> [String] {
        let entry = #"{"type":"t","code":"\#(code)","message":"m","attribute":null,"url":"u"}"#
        let other = #"{"type":"t","code":"invalid_parameter","message":"n","attribute":"country","url":"u"}"#
        return [
            #"{"errors":[\#(entry)]}"#, #"{"errors":[\#(entry),\#(other)]}"#, #"{"errors":[\#(other),\#(entry)]}"#,
            #"{"error":"\#(code)"}"#,
        ]
    }
}
