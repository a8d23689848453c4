import Foundation
import SyncCore
import Testing

@testable import SignalWireSandbox

/// What the stand-in for SignalWire is sent.
extension FuzzTests {
    private static let bodies = [
        #"{"reference":"ada@x","expire_at":4102444800,"first_name":"Ada","region":"us-central"}"#,
        #"{"email":"ada@x","password":"12345678","timezone":"UTC"}"#, #"{"refresh_token":"eyJ.x"}"#,
        #"[{"effect":"status","status":500,"probability":0.5,"count":3},"hang,limit=5"]"#,
        #"{"reference":"a","expire_at":9223372036854775807}"#,
    ]
    private static let tokens = [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "\"reference\":", "\"expire_at\":", "\"password\":",
        "1e308",
        #"\ud83d"#, "region", "scope", "sat:refresh", "fingerprint", "application_id", "\"a\":1", "status=500",
        "effect",
    ]
    private static let lines = [
        "status=429,retry-after=1,count=3", "latency=30", "reset-after,reference=a*", "hang,limit=5",
        "oversized-body,bytes=9",
        "redirect,location=http://x", "late-apply,delay=3", "html,status=502,probability=0.5,seed=3",
    ]

    @Test("in a body is a call that is answered, or problems, and never the sandbox's end")
    func bodies() {
        let model = SandboxModel(faults: [])
        let caller = Caller(projectID: "p", authority: "127.0.0.1:1")
        FuzzRun.over("sandbox bodies") { input in
            let body = input.bytes(from: Self.bodies, tokens: Self.tokens, limit: 65_536)
            if input.once(in: 100) { model.forgetEverything() }
            guard let value = JSONValue.parse(Data(body)), case .object(let members) = value else { return .held }
            let now = 1_800_000_000.0
            for schema in [TokenRequest.schema, RefreshRequest.schema, ResourceRequest.schema] {
                _ = schema.problems(in: members, at: now)
            }
            if TokenRequest.schema.problems(in: members, at: now).isEmpty {
                _ = model.apply(.mintToken(TokenRequest(members)), by: caller)
            }
            if ResourceRequest.schema.problems(in: members, at: now).isEmpty {
                _ = model.apply(.create(ResourceRequest(members)), by: caller)
            }
            if RefreshRequest.schema.problems(in: members, at: now).isEmpty {
                _ = model.apply(.refreshToken(RefreshRequest(members)), by: caller)
            }
            return .held
        }
    }

    @Test("in a fault's line or object is a fault that reads back as itself, or refused")
    func faults() {
        FuzzRun.over("faults") { input in
            let line = input.text(
                from: Self.lines, tokens: Self.lines + [",", "=", "*", "seed", "-", "date:"], limit: 2000)
            var found: [Fault] = []
            if let fault = try? Fault(parsing: line) { found.append(fault) }
            if let value = JSONValue.parse(Data(input.bytes(from: Self.bodies, tokens: Self.tokens, limit: 2000))),
                case .array(let list) = value
            {
                found += list.compactMap { try? Fault($0) }
            }
            for fault in found {
                let again = try JSONDecoder().decode(Fault.self, from: JSONEncoder().encode(fault))
                guard again == fault else { return .broken("\(fault) is read as \(again)") }
            }
            return .held
        }
    }

    @Test("in a path, a query, a token or a pattern leads somewhere or nowhere")
    func routes() {
        let paths = [Route.tokensPath, Route.subscribersPath + "/5b00", "/__sandbox/stats", "/"]
        let model = SandboxModel(faults: [])
        FuzzRun.over("routes") { input in
            let path = input.text(from: paths, tokens: ["/", "..", "%2F", "?", "\u{0}"], limit: 1000)
            _ = try? Route(method: input.pick(["GET", "POST", "PUT", "DELETE", "PATCH", ""]), path: path)
            let number = input.text(
                from: ["0", "50", "PA7", "9223372036854775807"], tokens: ["PA", "-", "9"], limit: 40)
            var query = [input.pick(["page_number", "page_size", "page_token"]): number]
            let most = input.pick(["0", "1000", "9223372036854775807", "PA9"])
            query[input.pick(["page_number", "page_size", "page_token"])] = most
            if let page = try? PageRequest(query: { query[$0] }) {
                _ = model.apply(.list(page), by: Caller(projectID: "p", authority: "a"))
            }
            _ = SandboxToken.readRefresh(path, at: 0)
            let bytes = Array(input.anyText().utf8)
            guard Base64URL.decode(Base64URL.encode(bytes)) == bytes else { return .broken("\(bytes)") }
            let pattern = input.text(from: ["a*b", "*", "**a"], tokens: ["*", "a", "aa"], limit: 300)
            let text = String(repeating: "a", count: input.int(0...300)) + input.anyText(upTo: 4)
            let isMatch = Glob(pattern: pattern).matches(text)
            return !pattern.isEmpty && pattern.allSatisfy { $0 == "*" } && !isMatch ? .broken(pattern) : .held
        }
    }
}
