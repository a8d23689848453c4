import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("How long a change took") struct LatencyTests {
    @Test("is told once, when SignalWire knows it: not of a resync, and not while a newer change waits")
    func latency() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let id = try #require(SettleTests.id)
            let claim = try await SettleTests.claimed(fixture, store)
            try await fixture.run("UPDATE subscriber_sync.subscriber SET changed_at = changed_at - interval '90 s'")
            let first = try await store.settle([try SettleTests.settlement(claim, .accepted(id))])
            #expect(first.latencies.count == 1)
            #expect(first.latencies.allSatisfy { $0 > .seconds(90) && $0 < .seconds(150) })

            try await fixture.run(
                "UPDATE subscriber_sync.subscriber SET due_at = now(), priority = 1, wanted = wanted + 1, doubted_until = now()"
            )
            let resync = try #require(try await store.claims().first)
            #expect(try await store.settle([try SettleTests.settlement(resync, .accepted(id))]).latencies == [])

            try await fixture.run("UPDATE users SET title = 'a'")
            let older = try #require(try await store.claims().first)
            try await fixture.run("UPDATE users SET title = 'b'")
            _ = try await store.fold()
            #expect(try await store.settle([try SettleTests.settlement(older, .accepted(id))]).latencies == [])
            let newer = try #require(try await store.claims().first)
            #expect(try await store.settle([try SettleTests.settlement(newer, .accepted(id))]).latencies.count == 1)
            await store.close()
        }
    }

    @Test("is not told of what SignalWire did not accept")
    func rejected() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            let claim = try await SettleTests.claimed(fixture, store)
            let refusal = PushOutcome.rejected(Problem(code: "invalid_parameter", message: "no"))
            #expect(try await store.settle([try SettleTests.settlement(claim, refusal)]).latencies == [])
            await store.close()
        }
    }
}
