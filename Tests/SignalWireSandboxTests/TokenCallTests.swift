import Foundation
import Testing

@testable import SignalWireSandbox

@Suite("create_subscriber_token")
struct TokenCallTests {
    @Test("A new reference creates a subscriber, and the same reference keeps its id")
    func upserts() async throws {
        try await withSandbox { sandbox, client in
            let first = try await client.mint(#"{"reference":"ada@example.com","first_name":"Ada"}"#)
            let second = try await client.mint(#"{"reference":"ada@example.com","last_name":"Lovelace"}"#)
            #expect(first.status == 200)
            #expect(first.json.keys == ["refresh_token", "subscriber_id", "token"])
            #expect(first.json["subscriber_id"] == second.json["subscriber_id"])
            let held = try #require(sandbox.subscriber(reference: "ada@example.com"))
            #expect(held.profile == ["first_name": "Ada", "last_name": "Lovelace"])
            #expect(held.upserts == 2)
            #expect(first.json["subscriber_id"]?.text == held.subscriberID)
        }
    }

    @Test("A field that is left out stays, and an empty one is emptied")
    func emptiesOnlyWhatIsSent() async throws {
        try await withSandbox { sandbox, client in
            _ = try await client.mint(#"{"reference":"a","job_title":"Analyst","country":"GB"}"#)
            _ = try await client.mint(#"{"reference":"a","job_title":""}"#)
            #expect(sandbox.snapshot().map(\.profile) == [["job_title": "", "country": "GB"]])
        }
    }

    @Test("Every field of the schema is taken, and every profile field is kept")
    func takesTheWholeSchema() async throws {
        let profile = Dictionary(
            uniqueKeysWithValues: TokenRequest.profileFields.map { ($0, $0 == "region" ? "us-central" : "v \($0) 🙂") })
        var body: [String: Any] = profile
        body["reference"] = "all"
        body["expire_at"] = Int(Date().timeIntervalSince1970) + 300
        body["application_id"] = UUID().uuidString
        body["password"] = ""
        body["fingerprint"] = String(repeating: "a_-", count: 14) + "Z"
        body["scope"] = "sat:refresh"
        let json = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
        try await withSandbox { sandbox, client in
            let answer = try await client.mint(json)
            #expect(answer.status == 200, "\(answer.body)")
            #expect(sandbox.subscriber(reference: "all")?.profile == profile)
        }
    }

    @Test("Any whole number is a time, the largest too", arguments: [Int.max, Int.max - 1023, 1 << 53 + 1])
    func takesAnyTime(seconds: Int) async throws {
        try await withSandbox { _, client in
            let answer = try await client.mint(#"{"reference":"a","expire_at":\#(seconds)}"#)
            #expect(answer.status == 200)
        }
    }

    @Test("Tokens look like a JWE, are new each time and carry both markers")
    func mintsTokens() async throws {
        try await withSandbox { _, client in
            var seen: Set<String> = []
            for _ in 0..<3 {
                let answer = try await client.mint(#"{"reference":"a"}"#)
                for name in ["token", "refresh_token"] {
                    let token = try #require(answer.json[name]?.text)
                    #expect(token.wholeMatch(of: /eyJ[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}/) != nil)
                    #expect(token.hasPrefix(SandboxToken.headerMarker))
                    #expect(token.contains("." + SandboxToken.bodyMarker))
                    seen.insert(token)
                }
            }
            #expect(seen.count == 6)
        }
    }

    @Test("Every answer has a request id of its own")
    func namesRequests() async throws {
        try await withSandbox { _, client in
            let ids = [try await client.mint(#"{"reference":"a"}"#), try await client.mint("{}")]
                .compactMap { $0.headers["x-request-id"] }
            #expect(Set(ids).count == 2)
        }
    }
}

@Suite("refresh_subscriber_token")
struct RefreshCallTests {
    private static let path = Route.tokensPath + "/refresh"

    @Test("A refresh token buys a new pair, again and again")
    func refreshes() async throws {
        try await withSandbox { _, client in
            var pair = try await client.mint(#"{"reference":"a"}"#).json
            for _ in 0..<3 {
                let old = try #require(pair["refresh_token"]?.text)
                let answer = try await client.answer("POST", Self.path, #"{"refresh_token":"\#(old)"}"#)
                #expect(answer.status == 201)
                #expect(answer.json.keys == ["refresh_token", "token"])
                #expect(answer.json["refresh_token"]?.text != old)
                pair = answer.json
            }
        }
    }

    @Test("An access token, a changed token and a made up one are refused")
    func refusesForeignTokens() async throws {
        try await withSandbox { _, client in
            let pair = try await client.mint(#"{"reference":"a"}"#).json
            let access = try #require(pair["token"]?.text)
            let refresh = try #require(pair["refresh_token"]?.text)
            for wrong in [access, refresh + "A", String(refresh.dropLast()), "a..b.c.d", "nonsense"] {
                let answer = try await client.answer("POST", Self.path, #"{"refresh_token":"\#(wrong)"}"#)
                #expect(answer.status == 422)
                #expect(answer.errors == ["refresh_token:invalid_parameter"])
            }
        }
    }

    @Test("A refresh token is valid until its own end and expired after it")
    func expires() {
        let token = SandboxToken.mint(.refresh, subscriberID: "id", expiresAt: 1_000)
        #expect(SandboxToken.readRefresh(token, at: 999) == .valid(subscriberID: "id"))
        #expect(SandboxToken.readRefresh(token, at: 1_000) == .expired)
    }

    @Test(
        "The body's schema is closed",
        arguments: [
            ("{}", "refresh_token:missing_required_parameter"),
            (#"{"refresh_token":null}"#, "refresh_token:invalid_parameter"),
            (#"{"refresh_token":7}"#, "refresh_token:not_a_string"),
        ])
    func isClosed(body: String, error: String) async throws {
        try await withSandbox { _, client in
            let answer = try await client.answer("POST", Self.path, body)
            #expect(answer.status == 422)
            #expect(answer.errors == [error])
        }
    }
}
