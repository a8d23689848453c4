import Foundation
import Glibc
import SignalWireSandbox
import TestSupport
import Testing

@Suite("The webhook", .timeLimit(.minutes(3))) struct WebhookTests {
    /// Nothing else would tell of a change within an hour.
    static func settings(_ sender: WebhookSender) -> [String: String] {
        [
            "CAPTURE_MODE": "poll", "CAPTURE_POLL_INTERVAL": "1h", "WEBHOOK_SECRET": sender.secret,
            "WEBHOOK_RATE": "1000",
        ]
    }

    /// Who is there before the first sweep has ended is not pushed by being found.
    static func baseline(_ agent: WatchedAgent) async {
        await eventually("the first sweep has ended") {
            (try? await agent.stage.value("SELECT baseline_at::text FROM subscriber_sync.status")) ?? nil != nil
        }
    }

    @Test("brings a changed user to SignalWire, with the profile that the database has")
    func brings() async throws {
        let sender = WebhookSender()
        try await WatchedAgent.run(changing: Self.settings(sender)) { agent in
            await Self.baseline(agent)
            try await agent.stage.run("INSERT INTO users (id, email, title) VALUES (7, 'ada@x', 'Eng')")
            let answer = try await sender.send(#"{"data":{"user_key":"7","first_name":"Mallory"}}"#, to: agent.http)
            #expect(answer.status == 202 && answer.body == "taken\n")
            await eventually("she has arrived") { agent.stage.sandbox.subscriber(reference: "ada@x") != nil }
            #expect(agent.stage.sandbox.subscriber(reference: "ada@x")?.profile["job_title"] == "Eng")
            #expect(agent.stage.sandbox.subscriber(reference: "ada@x")?.profile["first_name"] ?? "" == "")
            let text = try await agent.http.send("GET", "/metrics").body
            #expect(text.contains("subscriber_sync_webhook_requests_total{status=\"202\"} 1\n"))
        }
    }

    @Test("takes a replay without doing it again, also at another agent")
    func replays() async throws {
        let sender = WebhookSender()
        try await WatchedAgent.run(changing: Self.settings(sender)) { first in
            await Self.baseline(first)
            let second = try first.stage.start(
                "run", changing: Self.settings(sender).merging(["OPERATIONS_LISTEN": "127.0.0.1:0"]) { $1 })
            await eventually("the second listens") { WatchedAgent.address(in: second.err) != nil }
            let other = RawHTTP(port: try #require(WatchedAgent.address(in: second.err)))
            try await first.stage.run("INSERT INTO users (id, email, title) VALUES (7, 'ada@x', 'Eng')")
            let body = #"{"data":[{"user_key":7}]}"#
            for http in [first.http, other, first.http, other] {
                #expect(try await sender.send(body, id: "msg_1", to: http).status == 202)
            }
            await eventually("she has arrived") { first.stage.sandbox.subscriber(reference: "ada@x") != nil }
            let wanted = try await first.stage.value("SELECT wanted::text FROM subscriber_sync.subscriber")
            #expect(wanted == "1")
            #expect(first.stage.sandbox.statistics().requests == 1)
            second.send(SIGTERM)
            #expect(try await second.finish().status == 0)
        }
    }

    @Test("refuses what isn't signed, fresh, small or sound, and says why without quoting it")
    func refuses() async throws {
        let sender = WebhookSender()
        try await WatchedAgent.run(changing: Self.settings(sender)) { agent in
            let body = #"{"data":{"user_key":"7"}}"#
            let now = Int(Date().timeIntervalSince1970)
            let post = { (headers: [(String, String)], body: String) in
                try await agent.http.send("POST", "/webhooks/users", headers: headers, body: body).status
            }
            #expect(try await post([], body) == 401)
            #expect(try await post(WebhookSender().headers(id: "a", body: body), body) == 401)
            #expect(try await post(sender.headers(id: "a", timestamp: now - 320, body: body), body) == 401)
            #expect(try await post(sender.headers(id: "a", timestamp: now + 320, body: body), body) == 401)
            #expect(try await post(sender.headers(id: "a", body: body), body + " ") == 401)
            for wrong in ["", "x", "{}", #"{"data":{"user_key":"planted-key"}}"#, #"{"data":{"user_key":1.5}}"#] {
                let answer = try await sender.send(wrong, to: agent.http)
                #expect(answer.status == 400 && !answer.body.contains("planted"), "\(wrong)")
            }
            let many = #"{"data":{"user_key":[\#((0...1000).map(String.init).joined(separator: ","))]}}"#
            #expect(try await sender.send(many, to: agent.http).status == 413)
            let large = String(repeating: " ", count: 300 * 1024)
            #expect(try await sender.send(large, to: agent.http).status == 413)
            #expect(try await agent.http.send("GET", "/webhooks/users").status == 404)
            #expect(try await agent.stage.value("SELECT count(*) FROM subscriber_sync.webhook_message") == "0")
            #expect(!agent.process.err.contains("planted"))
        }
    }

    @Test("takes no more than its rate, and says when to come again; who isn't signed doesn't count")
    func rate() async throws {
        let sender = WebhookSender()
        try await WatchedAgent.run(changing: Self.settings(sender).merging(["WEBHOOK_RATE": "1"]) { $1 }) { agent in
            let body = #"{"data":{"user_key":"7"}}"#
            for _ in 0..<20 {
                #expect(try await WebhookSender().send(body, to: agent.http).status == 401)
            }
            var statuses: [Int] = []
            for _ in 0..<5 {
                let answer = try await sender.send(body, to: agent.http)
                statuses.append(answer.status)
                if answer.status == 429 { #expect(answer.headers["retry-after"] == "1") }
            }
            #expect(statuses.contains(202) && statuses.contains(429))
        }
    }

    @Test("doesn't take what the database doesn't, and takes it afterwards")
    func databaseGone() async throws {
        let sender = WebhookSender()
        try await WatchedAgent.run(changing: Self.settings(sender)) { agent in
            let body = #"{"data":{"user_key":"7"}}"#
            try await agent.stage.shutOut()
            let answer = try await sender.send(body, id: "msg_1", to: agent.http)
            #expect(answer.status == 503 && answer.headers["retry-after"] == "5")
            try await agent.stage.letIn()
            await eventually(within: .seconds(20), "it is taken") {
                (try? await sender.send(body, id: "msg_1", to: agent.http).status) == 202
            }
        }
    }

    @Test("waits for sixteen bodies at a time, and not for long, and then takes messages again")
    func slowBodies() async throws {
        let sender = WebhookSender()
        try await WatchedAgent.run(changing: Self.settings(sender)) { agent in
            let lines = [
                "POST /webhooks/users HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 100",
            ]
            let head = (lines + sender.headers(id: "slow", body: "").map { "\($0): \($1)" }).joined(separator: "\r\n")
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<24 {
                    group.addTask {
                        String(decoding: try await agent.http.exchange(Array((head + "\r\n\r\n{").utf8)), as: UTF8.self)
                    }
                }
                let answers = try await group.reduce(into: [String: Int]()) {
                    $0[String($1.prefix(12)), default: 0] += 1
                }
                #expect(answers == ["HTTP/1.1 400": 16, "HTTP/1.1 503": 8])
                let body = #"{"data":{"user_key":"7"}}"#
                #expect(try await sender.send(body, to: agent.http).status == 202)
            }
        }
    }

    @Test("is off without a secret")
    func off() async throws {
        try await WatchedAgent.run { agent in
            let answer = try await WebhookSender().send("{}", to: agent.http)
            #expect(answer.status == 404)
        }
    }

    @Test("has settings that say what is wrong, and never show a secret")
    func settings() async throws {
        let bad = try await CommandRun.run(["config"], ["WEBHOOK_SECRET": "whsec_planted"])
        #expect(bad.status == 78 && bad.err.contains("openssl rand") && !(bad.out + bad.err).contains("planted"))
        let sender = WebhookSender()
        let good = try await CommandRun.run(
            ["config", "--format", "json"],
            ["WEBHOOK_SECRET": sender.secret, "WEBHOOK_KEY_PATHS": "[record.id, old_record.id]"])
        #expect(good.out.contains("[record.id, old_record.id]") && !good.out.contains(sender.secret.dropFirst(6)))
        let path = try await CommandRun.run(["config"], ["WEBHOOK_KEY_PATHS": "a..b"])
        #expect(path.status == 78 && path.err.contains("webhook.key_paths"))
    }
}
