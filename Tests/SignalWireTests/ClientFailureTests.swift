import NIOCore
import NIOPosix
import SyncCore
import Testing

@testable import SignalWire

@Suite("The client, not answered")
struct ClientFailureTests {
    @Test("reports a refused connection as not sent")
    func refused() async throws {
        let answer = try await pushOnce(port: WireServer.deafPort())
        #expect(answer.outcome == TransportFailure.connectionRefused.outcome)
        #expect(answer.httpStatus == nil)
        #expect(answer.requestID == nil)
    }

    @Test("reports a host that lets nobody in as not sent, before the deadline has come")
    func connectTimeout() async throws {
        let listener = try CrowdedListener()
        let answer = try await pushOnce(port: listener.port, timeout: .milliseconds(900))
        #expect(answer.outcome == TransportFailure.connectTimeout.outcome)
        #expect(answer.duration >= .milliseconds(600) && answer.duration < .seconds(5))
    }

    @Test("reports a name that can't be resolved as not sent")
    func unresolvable() async throws {
        // Longer than a name's part may be, so the resolver refuses it without asking anybody.
        let name = String(repeating: "x", count: 64) + ".invalid"
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let error = await #expect(throws: NIOConnectionError.self) {
            _ = try await bootstrap.connect(host: name, port: 9).get()
        }
        #expect(error.map { TransportFailure($0, hasHead: false) } == .dnsFailure)
    }

    @Test("reports a reset before the request was read as unanswered")
    func resetBefore() async throws {
        let server = try WireServer(resetsAtOnce: true) { _ in .hang }
        let answer = try await withClient(server) { try await $0.push(push()) }
        #expect(answer.outcome == TransportFailure.connectionLost.outcome)
    }

    @Test("reports a lost connection after the request was read as unanswered, and sends nothing twice")
    func lostAfter() async throws {
        for reply in [WireServer.Reply.reset, .close] {
            let server = try WireServer(replying: reply)
            let answer = try await withClient(server) { try await $0.push(push()) }
            #expect(answer.outcome == TransportFailure.connectionLost.outcome)
            #expect(server.requests.count == 1)
        }
    }

    @Test("reports a cut answer as unanswered, whatever its status")
    func cut() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nX-Request-Id: r-1\r\n\r\n"
        let chunked = "HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\nX-Request-Id: r-1\r\n\r\n5\r\nabc"
        for reply in [
            WireServer.Reply.bytesThenClose(head + acceptedBody), .bytesThenClose(chunked), .bytesThenClose(head),
        ] {
            let answer = try await answerToPush(reply)
            #expect(answer.outcome == TransportFailure.answerCut.outcome)
            #expect(answer.requestID == "r-1")
            #expect(answer.httpStatus != nil)
        }
    }

    @Test("reports a half status line as unanswered")
    func halfHead() async throws {
        let answer = try await answerToPush(.bytesThenClose("HTTP/1.1 20"))
        guard case .unavailable(_, .unanswered) = answer.outcome else {
            Issue.record("\(answer.outcome)")
            return
        }
        #expect(answer.httpStatus == nil)
    }

    @Test(
        "reports what is not HTTP as malformed",
        arguments: ["SSH-2.0-OpenSSH\r\n", "\u{0}\u{1}\u{2}garbage", "220 smtp ready\r\n"])
    func garbage(text: String) async throws {
        let answer = try await answerToPush(.bytesThenClose(text))
        #expect(answer.outcome == TransportFailure.notHTTP.outcome)
    }

    @Test("reports a server that never answers when the deadline has come")
    func hang() async throws {
        let start = ContinuousClock.now
        let answer = try await answerToPush(.hang, timeout: .milliseconds(200))
        #expect(answer.outcome == TransportFailure.deadlineExceeded.outcome)
        #expect(answer.duration >= .milliseconds(200))
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test("holds the deadline over the body too, and says which status came")
    func hangingBody() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"
        let answer = try await answerToPush(.bytes(head), timeout: .milliseconds(200))
        #expect(answer.outcome == TransportFailure.deadlineExceeded.outcome)
        #expect(answer.httpStatus == 200)
        #expect(answer.duration >= .milliseconds(200) && answer.duration < .seconds(3))
    }

    @Test("reports a server without TLS as a failure of TLS")
    func noTLS() async throws {
        let server = try WireServer(greeting: "HTTP/1.1 400 Bad Request\r\n\r\n") { _ in .close }
        let answer = try await pushOnce(port: server.port, scheme: "https")
        server.stop()
        #expect(answer.outcome == TransportFailure.tlsHandshakeFailed.outcome)
        #expect(server.requests.isEmpty)
    }

    @Test("reports a server that is silent about TLS as not sent")
    func silentTLS() async throws {
        let server = try WireServer(replying: .hang)
        let answer = try await pushOnce(port: server.port, scheme: "https", timeout: .milliseconds(900))
        server.stop()
        guard case .unavailable(_, .notSent) = answer.outcome else {
            Issue.record("\(answer.outcome)")
            return
        }
    }

    @Test("throws when its task is cancelled, within a second, and hangs up")
    func cancellation() async throws {
        let server = try WireServer(replying: .hang)
        try await withClient(server, timeout: .seconds(60)) { client in
            let task = Task { try await client.push(push()) }
            let hasArrived = try await eventually { server.requests.count == 1 }
            #expect(hasArrived)
            let start = ContinuousClock.now
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ContinuousClock.now - start < .seconds(1))
            let hasHungUp = try await eventually { server.openConnections == 0 }
            #expect(hasHungUp)
        }
    }

    @Test("throws without sending anything when its task was cancelled before")
    func cancelledBefore() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        try await withClient(server) { client in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.push(push())
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(server.requests.isEmpty)
    }

    @Test("sends nothing after it was shut down")
    func shutDown() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        let answer = try await withClient(server) { client in
            await client.shutdown()
            await client.shutdown()
            return try await client.push(push())
        }
        #expect(answer.outcome == TransportFailure.clientClosed.outcome)
        #expect(server.accepted == 0)
    }

    @Test("closes its connections when nobody shut it down")
    func forgotten() async throws {
        let server = try WireServer(replying: .bytes(answer("200 OK", acceptedBody)))
        do {
            let client = SubscriberClient(settings: try settings(port: server.port))
            _ = try await client.push(push())
        }
        #expect(try await eventually { server.openConnections == 0 })
        server.stop()
    }

    @Test("names each failure by a stable code and one sentence", arguments: TransportFailure.allCases)
    func words(failure: TransportFailure) {
        #expect(failure.code.utf8.allSatisfy { $0.isLowercaseLetter || $0 == UInt8(ascii: "_") })
        #expect(failure.sentence.hasSuffix("."))
    }

    @Test("says of a failure that nothing was sent only where that is certain")
    func reaches() {
        let notSent = TransportFailure.allCases.filter { $0.reach == .notSent }
        #expect(
            Set(notSent) == [
                .connectionRefused, .hostUnreachable, .dnsFailure, .tlsHandshakeFailed, .connectTimeout, .clientClosed,
            ])
        #expect(TransportFailure.allCases.filter { $0.reach == .answered } == [.answerTooLarge])
    }

    private func pushOnce(
        port: Int, scheme: String = "http", timeout: Duration = .seconds(5)
    ) async throws -> PushAnswer {
        let client = SubscriberClient(settings: try settings(port: port, scheme: scheme, timeout: timeout))
        let answer = try await client.push(push())
        await client.shutdown()
        return answer
    }
}
