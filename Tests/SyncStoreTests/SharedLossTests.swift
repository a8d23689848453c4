import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Settlements of two users with one reference") struct SharedLossTests {
    @Test("that lost their leases in one batch are both due again, and neither is skipped for the other")
    func bothLost() async throws {
        try await Fixture.run { fixture in
            try await fixture.run("INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'a@x')")
            let store = try await fixture.store()
            let claims = try await store.claims()
            // As when one was deleted, the other took the reference over, and the first came back.
            try await fixture.run(
                """
                UPDATE subscriber_sync.subscriber SET admitted_at = now() - interval '2 days', reference = 'a@x',
                    lease = NULL, due_at = NULL
                """)
            let problem = Problem(code: "timeout", message: "None came.")
            let second = try #require(claims.last)
            let report = try await store.settle([
                try SettleTests.settlement(try #require(claims.first), .unavailable(problem, .unanswered)),
                try #require(Settlement(of: second, plan: .hold(.duplicateReference))),
            ])
            #expect(report.lost == 2 && report.skipped.isEmpty && report.settled == 0)
            #expect(
                try await fixture.column(
                    """
                    SELECT format('%s due %s, doubted %s', user_key, due_at <= now(), doubted_until > now())
                    FROM subscriber_sync.subscriber ORDER BY user_key
                    """) == ["1 due t, doubted t", "2 due t, doubted t"])
            await store.close()
        }
    }
}
