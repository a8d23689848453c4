import Foundation
import Testing

@testable import SignalWireSandbox

/// What the sandbox notices about its callers, and how scripts ask for it.
@Suite("What the sandbox watches")
struct WatchTests {
    @Test("Two calls at a time for one reference are noticed")
    func noticesOverlaps() async throws {
        let slow = Fault(.latency, latencyMilliseconds: 300)
        try await withSandbox(SandboxOptions(faults: [slow])) { sandbox, client async throws in
            async let first = client.mint(#"{"reference":"a"}"#)
            #expect(try await eventually { sandbox.statistics().inFlight == 1 })
            async let second = client.mint(#"{"reference":"a"}"#)
            async let other = client.mint(#"{"reference":"b"}"#)
            #expect(try await [first, second, other].map(\.status) == [200, 200, 200])
            let figures = sandbox.statistics()
            #expect(figures.overlaps == 1)
            #expect(figures.maxConcurrent >= 2)
            #expect(figures.inFlight == 0)
        }
    }

    @Test("Calls one after the other, and calls for different references, are no overlap")
    func allowsOrderlyCalls() async throws {
        try await withSandbox { sandbox, client in
            try await withThrowingTaskGroup { group in
                for user in 0..<4 {
                    group.addTask {
                        for _ in 0..<25 { _ = try await client.mint(#"{"reference":"u\#(user)"}"#) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(sandbox.statistics().overlaps == 0)
            #expect(sandbox.snapshot().map(\.upserts) == [25, 25, 25, 25])
        }
    }

    @Test("References that differ only in case and white space are noticed as duplicates")
    func noticesFoldedDuplicates() async throws {
        try await withSandbox { sandbox, client in
            for reference in ["Ada@x", " ada@X ", "ada@x", "bob@x"] {
                _ = try await client.mint(#"{"reference":"\#(reference)"}"#)
            }
            #expect(sandbox.snapshot().count == 4)
            #expect(sandbox.statistics().foldedDuplicates == 2)
        }
    }

    @Test("The figures add up")
    func counts() async throws {
        try await withSandbox(SandboxOptions(faults: [Fault(.resetAfterApplying, reference: "c")])) { sandbox, client in
            for reference in ["a", "a", "b", ""] { _ = try await client.mint(#"{"reference":"\#(reference)"}"#) }
            _ = try await client.send("POST", Route.tokensPath, #"{"reference":"c"}"#)
            #expect(try await eventually { sandbox.statistics().requests == 5 })
            let figures = sandbox.statistics()
            #expect(figures.byStatus == ["200": 3, "422": 1])
            #expect(figures.unanswered == 1)
            #expect(figures.created == 3)
            #expect(figures.updated == 1)
            #expect(figures.faults == ["reset-after": 1])
        }
    }

    @Test("Scripts read state and figures without credentials, and empty them")
    func isReadByScripts() async throws {
        try await withSandbox { sandbox, client in
            var script = client
            script.authorization = nil
            for reference in ["ada@x", "bob@x"] { _ = try await client.mint(#"{"reference":"\#(reference)"}"#) }
            let state = try await script.answer("GET", "/__sandbox/state")
            let body = try JSONDecoder().decode([String: [SandboxSubscriber]].self, from: Data(state.body.utf8))
            #expect(body == ["subscribers": sandbox.snapshot()])
            let some = try await script.answer("GET", "/__sandbox/state?reference=bob").json
            #expect(some["subscribers"]?.elements.map { $0["reference"]?.text } == ["bob@x"])
            let stats = try await script.answer("GET", "/__sandbox/stats")
            #expect(
                try JSONDecoder().decode(SandboxStatistics.self, from: Data(stats.body.utf8)) == sandbox.statistics())
            #expect(try await script.answer("DELETE", "/__sandbox/state").status == 204)
            #expect(sandbox.snapshot().isEmpty)
            #expect(sandbox.statistics() == SandboxStatistics())
        }
    }

    @Test("Scripts set, read and end faults")
    func takesFaultsFromScripts() async throws {
        try await withSandbox { sandbox, client in
            var script = client
            script.authorization = nil
            script.contentType = nil
            let path = "/__sandbox/faults"
            let list = #"["status=500,count=2",{"effect":"status","status":403,"reference":"x"}]"#
            #expect(try await script.answer("PUT", path, list).status == 200)
            #expect(sandbox.faults() == [Fault(.status(500), count: 2), Fault(.status(403), reference: "x")])
            #expect(try await client.mint(#"{"reference":"a"}"#).status == 500)
            let left = try await script.answer("GET", path).json["faults"]?.elements.first
            #expect(left?["count"] == .string("1"))
            #expect(try await script.answer("DELETE", path).status == 204)
            #expect(try await client.mint(#"{"reference":"a"}"#).status == 200)
        }
    }

    @Test(
        "Faults that can't be read are refused, and the old ones stay",
        arguments: ["", "{}", "[1]", #"["explode"]"#, #"[{"effect":true}]"#, #"["hang","hang,count=0"]"#])
    func refusesWrongFaults(body: String) async throws {
        try await withSandbox(SandboxOptions(faults: [Fault(.cutBody)])) { sandbox, client in
            let answer = try await client.answer("PUT", "/__sandbox/faults", body)
            #expect(answer.status == 400)
            #expect(answer.json["error"]?.text?.contains(".") == true)
            #expect(sandbox.faults() == [Fault(.cutBody)])
        }
    }
}
