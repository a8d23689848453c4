import SyncCore
import Testing

@testable import SignalWire

@Suite("A token minted by hand")
struct MintedTokenTests {
    @Test("can be read, and prints nothing of itself")
    func minted() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        let result = try await withClient(server) { client in
            try await client.mintToken(for: try #require(Reference("ada@example.com")), lifetime: .milliseconds(59_001))
        }
        guard case .minted(let token) = result else {
            Issue.record("not minted")
            return
        }
        #expect(token.token == "planted-token-eyJhbGciOi")
        #expect(token.refreshToken == "planted-refresh-eyJ")
        #expect(token.subscriberID.text == sampleSubscriber)
        #expect(token.expiresAt == 1_800_000_060)
        #expect(!everyPrint(of: token).contains("planted"))
        #expect(!everyPrint(of: result).contains("planted"))
        #expect(server.requests.first?.hasSuffix(#"{"reference":"ada@example.com","expire_at":1800000060}"#) == true)
    }

    @Test("is refused as a push would be")
    func refused() async throws {
        let result = try await mint(answer("401 Unauthorized", #"{"error":"Unauthorized"}"#))
        #expect(result?.outcome == .account(Problem(code: "http_401", message: "Unauthorized")))
        #expect(result?.httpStatus == 401)
    }

    @Test(
        "is refused where the answer has none",
        arguments: [
            #"{"subscriber_id":"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}"#,
            #"{"subscriber_id":"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9","token":""}"#, #"{"token":"planted"}"#, "",
        ])
    func tokenless(body: String) async throws {
        let result = try await mint(answer("200 OK", body))
        #expect(result?.outcome == .unavailable(.tokenlessAnswer, .answered))
    }

    @Test("is not needed by a probe, which changes nothing")
    func probe() async throws {
        let server = try WireServer { index in
            index == 0 ? .bytes(answer("200 OK", #"{"data":[]}"#)) : .bytes(answer("403 Forbidden"))
        }
        let (good, bad) = try await withClient(server) { client in
            (try await client.probe(), try await client.probe())
        }
        guard case .passed(200, nil, _, _) = good, case .refused(let answer) = bad, case .account = answer.outcome
        else {
            Issue.record("\(good), \(bad)")
            return
        }
        #expect(
            server.requests.allSatisfy {
                $0.hasPrefix("GET /api/fabric/resources/subscribers?page_size=1 HTTP/1.1\r\n")
            })
    }

    private func mint(_ reply: String) async throws -> PushAnswer? {
        let result = try await withClient(WireServer(replying: .bytes(reply))) { client in
            try await client.mintToken(for: try #require(Reference("ada@example.com")), lifetime: .seconds(60))
        }
        switch result {
        case .minted: return nil
        case .refused(let answer): return answer
        }
    }
}
