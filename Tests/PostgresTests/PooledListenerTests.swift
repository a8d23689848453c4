import Postgres
import TestSupport
import Testing

@Suite("Listening where a pooler is in between", .inFrontOfOwnServer, .timeLimit(.minutes(1)))
struct PooledListenerTests {
    private static let notify = Statement<Void>("notify", "SELECT pg_notify('c', $1)")

    @Test("Behind it, a listener says so at once and leaves no LISTEN; beside it, one hears what goes through")
    func listens() async throws {
        try await withPooledSession { session, pooler, database in
            let deaf = Ear(pooler.settings(for: database), channels: ["c"])
            let began = ContinuousClock.now
            #expect(await deaf.next() == .pooled)
            #expect(began.duration(to: .now) < .seconds(2))
            let left = try await session.query(text("SELECT pg_listening_channels()"))
            #expect(left == [])
            let direct = Ear(database.settings, channels: ["c"])
            #expect(await direct.listening() ?? 0 > 0)
            try await session.execute(Self.notify, ["through the pooler"])
            let event = await direct.next()
            #expect(event.map { if case .notified("c", "through the pooler", _) = $0 { true } else { false } } == true)
            await deaf.stop()
            await direct.stop()
        }
    }
}
