import Foundation
import Testing

@testable import SignalWireSandbox

/// Each effect, as the client's socket sees it and as the sandbox's state shows it.
@Suite("Faults")
struct FaultTests {
    private static let good = #"{"reference":"bob@x","first_name":"Bob"}"#

    /// Runs one call that the fault strikes, and then one that nothing strikes.
    private func strike(
        _ fault: Fault, patience: Double = 20, _ check: (Reply, Sandbox) async throws -> Void
    ) async throws {
        var once = fault
        once.count = 1
        try await withSandbox(SandboxOptions(faults: [once])) { sandbox, client in
            var caller = client
            caller.patience = patience
            let reply = try await caller.send("POST", Route.tokensPath, Self.good)
            #expect(try await eventually { sandbox.statistics().faults == [fault.effect.name: 1] })
            #expect(try await eventually { sandbox.statistics().inFlight == 0 })
            try await check(reply, sandbox)
            #expect(try await client.mint(Self.good).status == 200)
            #expect(sandbox.statistics().overlaps == 0)
            #expect(sandbox.statistics().inFlight == 0)
            #expect(sandbox.faults().isEmpty)
        }
    }

    /// A status, the code given with it, and the body it must have.
    struct StatusCase: Sendable {
        let status: Int
        var code: String?
        let body: String
    }

    @Test(
        "An error status comes with the body that the API has for it, and nothing is applied",
        arguments: [
            StatusCase(status: 401, body: #"{"error":"Unauthorized"}"#),
            StatusCase(status: 403, body: #"{"error":"Forbidden"}"#),
            StatusCase(status: 404, body: #"{"error":"Not Found"}"#),
            StatusCase(status: 500, body: #"{"error":"Internal Server Error"}"#),
            StatusCase(status: 422, body: "invalid_parameter"),
            StatusCase(status: 422, code: "insufficient_balance", body: "insufficient_balance"),
            StatusCase(status: 403, code: "account_limit_exceeded", body: "account_limit_exceeded"),
            StatusCase(status: 429, body: "rate_limit_exceeded"),
        ])
    func answersWithStatus(expected: StatusCase) async throws {
        try await strike(Fault(.status(expected.status, code: expected.code))) { reply, sandbox in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.status == expected.status)
            #expect(answer.body == expected.body || answer.errors == ["-:" + expected.body])
            #expect(answer.headers["retry-after"] == nil)
            #expect(sandbox.snapshot().isEmpty)
        }
    }

    @Test("Retry-After comes in seconds or as a date")
    func saysWhenToRetry() async throws {
        try await strike(Fault(.status(429, .seconds(7)))) { reply, _ in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.headers["retry-after"] == "7")
        }
        try await strike(Fault(.status(503, .date(inSeconds: 60)))) { reply, _ in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "GMT")
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let date = try #require(answer.headers["retry-after"].flatMap(format.date(from:)))
            #expect((30...61).contains(date.timeIntervalSinceNow))
        }
    }

    @Test("Dates have the form of RFC 9110")
    func writesDates() {
        #expect(HTTPDate.string(Date(timeIntervalSince1970: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.string(Date(timeIntervalSince1970: 0)) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("A proxy's page is HTML, and a redirect leads elsewhere; neither applies anything")
    func answersForTheProxy() async throws {
        try await strike(Fault(.html())) { reply, sandbox in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.status == 502)
            #expect(answer.headers["content-type"] == "text/html")
            #expect(answer.body.hasPrefix("<html>"))
            #expect(sandbox.snapshot().isEmpty)
        }
        try await strike(Fault(.redirect(to: "http://127.0.0.1:1/"))) { reply, sandbox in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.status == 302)
            #expect(answer.headers["location"] == "http://127.0.0.1:1/")
            #expect(sandbox.snapshot().isEmpty)
        }
    }

    @Test("A reset before applying leaves nothing behind, and one after applying the subscriber")
    func resets() async throws {
        try await strike(Fault(.resetBeforeApplying)) { reply, sandbox in
            #expect(reply == .reset)
            #expect(sandbox.snapshot().isEmpty)
        }
        try await strike(Fault(.resetAfterApplying)) { reply, sandbox in
            #expect(reply == .reset)
            #expect(sandbox.snapshot().map(\.upserts) == [1])
            #expect(sandbox.statistics().unanswered == 1)
        }
    }

    @Test("A late request is applied after its connection is gone, over what came meanwhile")
    func appliesLate() async throws {
        let late = Fault(.lateApply(afterMilliseconds: 300), count: 1)
        try await withSandbox(SandboxOptions(faults: [late])) { sandbox, client in
            #expect(try await client.send("POST", Route.tokensPath, #"{"reference":"a","country":"OLD"}"#) == .reset)
            _ = try await client.mint(#"{"reference":"a","country":"NEW"}"#)
            #expect(sandbox.snapshot().map(\.profile) == [["country": "NEW"]])
            #expect(try await eventually { sandbox.statistics().appliedLate == 1 })
            #expect(sandbox.snapshot().map(\.profile) == [["country": "OLD"]])
            #expect(sandbox.statistics().overlaps == 0)
        }
    }

    @Test("A hang ends when the client gives up")
    func hangsUntilTheClientLeaves() async throws {
        try await strike(Fault(.hang()), patience: 0.1) { reply, sandbox in
            #expect(reply == .silence)
            #expect(sandbox.snapshot().isEmpty)
        }
    }

    @Test("A hang ends by itself at its limit")
    func hangsAtMostToTheLimit() async throws {
        try await strike(Fault(.hang(limitMilliseconds: 50))) { reply, _ in
            #expect(reply == .cut(body: ""))
        }
    }

    @Test("A cut body is shorter than announced, and the request was applied")
    func cutsBodies() async throws {
        try await strike(Fault(.cutBody)) { reply, sandbox in
            guard case .cut(let body) = reply else { throw ClientError(call: "\(reply)") }
            #expect(body.hasPrefix(#"{"refresh_token":"#))
            #expect(JSONValue.parse(Data(body.utf8)) == nil)
            #expect(sandbox.snapshot().map(\.upserts) == [1])
        }
    }

    @Test("An oversized body has all of the right answer and its padding")
    func inflatesBodies() async throws {
        try await strike(Fault(.oversizedBody(bytes: 300_000))) { reply, sandbox in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.body.utf8.count > 300_000)
            #expect(answer.json["subscriber_id"]?.text == sandbox.snapshot().first?.subscriberID)
        }
    }

    @Test("A 200 can come without its id or without JSON, and the request was applied")
    func leavesOutIDs() async throws {
        try await strike(Fault(.missingSubscriberID)) { reply, sandbox in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.status == 200)
            #expect(answer.json.keys == ["refresh_token", "token"])
            #expect(sandbox.snapshot().count == 1)
        }
        try await strike(Fault(.malformedBody)) { reply, sandbox in
            guard case .answer(let answer) = reply else { throw ClientError(call: "\(reply)") }
            #expect(answer.status == 200)
            #expect(answer.json == .null)
            #expect(sandbox.snapshot().count == 1)
        }
    }

    @Test("Latency delays the right answer, and adds to another fault")
    func delays() async throws {
        let faults = [
            Fault(.latency, latencyMilliseconds: 60), Fault(.latency, latencyMilliseconds: 40),
            Fault(.status(500), reference: "bob"),
        ]
        try await withSandbox(SandboxOptions(faults: faults)) { _, client async throws in
            let start = ContinuousClock.now
            #expect(try await client.mint(Self.good).status == 500)
            #expect(try await client.mint(#"{"reference":"ada"}"#).status == 200)
            #expect(ContinuousClock.now - start >= .milliseconds(200))
        }
    }

    @Test("A client that gives up during latency takes its request with it")
    func dropsAbandonedRequests() async throws {
        try await strike(Fault(.latency, latencyMilliseconds: 60_000), patience: 0.1) { reply, sandbox async throws in
            #expect(reply == .silence)
            #expect(sandbox.snapshot().isEmpty)
        }
    }

    @Test("A client that has left before its request is read takes it along too")
    func noticesEarlyFarewells() async throws {
        for fault in [Fault(.latency, latencyMilliseconds: 60_000), Fault(.hang())] {
            try await strike(fault, patience: 0) { reply, sandbox in
                #expect(reply == .silence)
                #expect(sandbox.snapshot().isEmpty)
            }
        }
    }

    @Test("A fault strikes only what fits, and as often as it says")
    func choosesRequests() async throws {
        let faults = [
            Fault(.status(500), reference: "*bob*", count: 2), Fault(.status(403), path: "/api/fabric/resources/*"),
        ]
        try await withSandbox(SandboxOptions(faults: faults)) { sandbox, client in
            #expect(try await client.mint(#"{"reference":"ada"}"#).status == 200)
            #expect(try await client.mint("{}").status == 422)
            #expect(try await client.answer("GET", Route.subscribersPath).status == 403)
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await client.mint(Self.good).status) }
            #expect(statuses == [500, 500, 200])
            #expect(sandbox.statistics().faults == ["status": 3])
            #expect(sandbox.faults() == [Fault(.status(403), path: "/api/fabric/resources/*")])
        }
    }

    @Test("A share of the requests is struck, and the same seed strikes the same ones")
    func drawsBySeed() {
        func series(_ seed: UInt64) -> [Bool] {
            var plan = FaultPlan([Fault(.resetBeforeApplying, probability: 0.3, seed: seed)])
            var figures: [String: Int] = [:]
            return (0..<1_000).map { _ in plan.draw(reference: nil, path: "/", noting: &figures).effect != nil }
        }
        #expect(series(7) == series(7))
        #expect(series(7) != series(8))
        #expect((250...350).contains(series(7).filter { $0 }.count))
    }
}
