import Foundation
import Glibc
import SignalWireSandbox
import TestSupport
import Testing

@Suite("A stop under load") struct ShutdownTests {
    @Test(
        "loses and repeats nothing: what was begun is finished, the rest is handed back",
        arguments: [SIGTERM, SIGINT])
    func losesNothing(signal: Int32) async throws {
        try await Stage.run(faults: ["latency=30"]) { stage in
            _ = try await stage.command("migrate")
            try await stage.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 2000) i")
            let agent = try stage.start("run")
            await eventually(within: .seconds(20), "some have gone") { stage.sandbox.statistics().requests >= 300 }
            let start = ContinuousClock.now
            agent.send(signal)
            let end = try await agent.finish()
            #expect(end.status == 0, "\(end.err)")
            #expect(ContinuousClock.now - start < .seconds(15), "the timeout of one call")
            let sent = stage.sandbox.statistics()
            #expect((300..<2000).contains(sent.requests) && sent.inFlight == 0)
            #expect(try await stage.value(Self.count("lease IS NOT NULL")) == "0")
            #expect(try await stage.value(Self.count("status = 'synced'")) == String(sent.requests))
            #expect(try await stage.value(Self.count("status NOT IN ('synced', 'pending') OR attempts > 0")) == "0")
            #expect(try await stage.value("SELECT count(*) FROM subscriber_sync.agent") == "0")

            let heir = try await stage.command("run", "--until-idle")
            #expect(heir.status == 0, "\(heir.err)")
            #expect(try await stage.hasSynced(2000))
            let all = stage.sandbox.statistics()
            #expect(all.requests == 2000 && all.created == 2000 && all.updated == 0 && all.overlaps == 0)
        }
    }

    @Test("of one agent of two leaves its users to the other, at once, and none twice")
    func handsOver() async throws {
        try await Stage.run(faults: ["latency=30"]) { stage in
            _ = try await stage.command("migrate")
            let agents = [try stage.start("run"), try stage.start("run")]
            try await eventually(within: .seconds(20), "both are up") {
                try await stage.value("SELECT count(*) FROM subscriber_sync.agent") == "2"
            }
            try await stage.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 2000) i")
            await eventually(within: .seconds(20), "some have gone") { stage.sandbox.statistics().requests >= 300 }
            agents[0].send(SIGTERM)
            #expect(try await agents[0].finish().status == 0)
            // Well within the lease, 20 seconds: nobody waits for one to expire.
            try await eventually(within: .seconds(15), "the other does the rest") { try await stage.hasSynced(2000) }
            let all = stage.sandbox.statistics()
            #expect(all.requests == 2000 && all.created == 2000 && all.updated == 0 && all.overlaps == 0)
            agents[1].send(SIGTERM)
            #expect(try await agents[1].finish().status == 0)
        }
    }

    private static func count(_ condition: String) -> String {
        "SELECT count(*) FROM subscriber_sync.subscriber WHERE \(condition)"
    }
}
