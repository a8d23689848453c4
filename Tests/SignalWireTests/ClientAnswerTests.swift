import Foundation
import NIOHTTP1
import SyncCore
import Testing

@testable import SignalWire

@Suite("The client, answered")
struct ClientAnswerTests {
    @Test("sends exactly the documented request")
    func requestBytes() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        _ = try await withClient(server, applicationID: "app-1") { client in
            try await client.push(push("ada@example.com", [.firstName: "Ada", .country: "GB"], cleared: [.jobTitle]))
        }
        let request = try #require(server.requests.first)
        let parts = request.components(separatedBy: "\r\n\r\n")
        let head = parts[0].components(separatedBy: "\r\n")
        let body =
            #"{"reference":"ada@example.com","expire_at":1800000300,"application_id":"app-1","#
            + #""first_name":"Ada","job_title":"","country":"GB"}"#
        #expect(head[0] == "POST /api/fabric/subscribers/tokens HTTP/1.1")
        #expect(
            Set(head.dropFirst().map { $0.lowercased() }) == [
                "host: 127.0.0.1:\(server.port)", "content-type: application/json", "accept: application/json",
                "content-length: \(body.utf8.count)", "user-agent: subscriber-sync/1.2.3",
                "authorization: basic \(Data("project-1:planted-api-secret".utf8).base64EncodedString().lowercased())",
            ])
        #expect(parts[1] == body)
        #expect(server.requests.count == 1)
    }

    @Test("reports an accepted push with its status, its request id and how long it took")
    func accepted() async throws {
        let reply = answer("201 Created", acceptedBody, headers: ["Request-Id: second", "X-Request-Id: first"])
        let answer = try await answerToPush(.bytes(reply))
        #expect(answer.outcome == .accepted(try #require(SubscriberID(sampleSubscriber))))
        #expect(answer.httpStatus == 201)
        #expect(answer.requestID == "first")
        #expect(answer.duration > .zero && answer.duration < .seconds(10))
    }

    @Test("keeps no token of a push anywhere")
    func noTokens() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        let shown = try await withClient(server) { client in
            let answer = try await client.push(push())
            return everyPrint(of: answer) + everyPrint(of: client)
        }
        for planted in ["planted-token", "planted-refresh", "planted-api-secret"] { #expect(!shown.contains(planted)) }
    }

    @Test("reports a rejection without what was sent")
    func rejected() async throws {
        let body =
            #"{"errors":[{"type":"v","code":"invalid_parameter","message":"Planted-Ada is bad","attribute":"first_name","url":""}]}"#
        let answer = try await answerToPush(.bytes(answer("422 Unprocessable Entity", body)))
        #expect(
            answer.outcome
                == .rejected(Problem(code: "invalid_parameter", message: "… is bad", attribute: "first_name")))
        #expect(answer.httpStatus == 422)
    }

    @Test("never repeats its own credentials, however the server echoes them")
    func echoedCredentials() async throws {
        let basic = Data("project-1:planted-api-secret".utf8).base64EncodedString()
        let body = #"{"error":"bad credentials planted-api-secret of project-1 (Basic \#(basic))"}"#
        let answer = try await answerToPush(.bytes(answer("401 Unauthorized", body)))
        #expect(answer.outcome == .account(Problem(code: "http_401", message: "bad credentials … of … (Basic …)")))
    }

    @Test("reports a throttled call with the wait")
    func throttled() async throws {
        let answer = try await answerToPush(.bytes(answer("429 Too Many Requests", headers: ["Retry-After: 7"])))
        guard case .throttled(.some(let wait), _) = answer.outcome else {
            Issue.record("\(answer.outcome)")
            return
        }
        #expect(wait == .seconds(7))
    }

    @Test("follows no redirect, so no other server sees the credentials", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        let other = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        let location = "Location: http://127.0.0.1:\(other.port)/api/fabric/subscribers/tokens"
        let answer = try await answerToPush(.bytes(answer("\(status) Moved", headers: [location])))
        guard case .rejected(let problem) = answer.outcome else {
            Issue.record("\(answer.outcome)")
            return
        }
        #expect(problem.code == "redirected")
        #expect(other.accepted == 0)
        other.stop()
    }

    @Test("reads a body up to its limit and no further", arguments: [(65_536, true), (65_537, false)])
    func bodyLimit(size: Int, isRead: Bool) async throws {
        let body = acceptedBody + String(repeating: " ", count: size - acceptedBody.utf8.count)
        let answer = try await answerToPush(.bytes(answer("200 OK", body)))
        #expect((answer.outcome.problem == nil) == isRead)
        if !isRead { #expect(answer.outcome == TransportFailure.answerTooLarge.outcome) }
    }

    @Test("gives up an endless body at once")
    func endlessBody() async throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
        let answer = try await answerToPush(.bytes(head + String(repeating: chunk, count: 4)))
        #expect(answer.outcome == TransportFailure.answerTooLarge.outcome)
        #expect(answer.httpStatus == 200)
    }

    @Test("shares its connections among any number of pushes")
    func pool() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        let accepted = try await withClient(server, connections: 5) { client in
            try await withThrowingTaskGroup(of: PushAnswer.self) { group in
                for number in 0..<100 {
                    group.addTask { try await client.push(push("user-\(number)")) }
                }
                return try await group.reduce(0) { $1.outcome.problem == nil ? $0 + 1 : $0 }
            }
        }
        #expect(accepted == 100)
        #expect(server.requests.count == 100)
        #expect(Set(server.requests).count == 100)
        #expect(server.peak <= 5)
    }

    @Test("goes on over a new connection after the server closed a kept one")
    func keptConnectionClosed() async throws {
        let server = try WireServer { index in
            index == 0 ? .bytesThenClose(answer("200 OK", acceptedBody)) : .bytes(answer("200 OK", acceptedBody))
        }
        let answers = try await withClient(server) { client in
            let first = try await client.push(push())
            #expect(try await eventually { server.openConnections == 0 })
            var second = try await client.push(push())
            // The client may not have seen the end of the kept connection yet; its caller tries again.
            if second.outcome == TransportFailure.connectionLost.outcome { second = try await client.push(push()) }
            return [first, second]
        }
        #expect(answers.allSatisfy { $0.outcome.problem == nil })
    }

    @Test("takes the first printable request id, in the SDKs' order")
    func requestIDs() {
        func id(_ headers: [(String, String)]) -> String? {
            Exchange.Head(status: 200, headers: .init(headers)).requestID
        }
        #expect(id([("x-amzn-requestid", "d"), ("request-id", "c"), ("X-SignalWire-Request-ID", "b")]) == "b")
        #expect(id([("x-request-id", "a"), ("x-signalwire-request-id", "b")]) == "a")
        #expect(id([("x-request-id", " "), ("request-id", "c")]) == "c")
        #expect(id([("x-request-id", String(repeating: "x", count: 129)), ("request-id", "c")]) == "c")
        #expect(id([("x-request-id", "ü")]) == nil)
        #expect(id([]) == nil)
    }
}
