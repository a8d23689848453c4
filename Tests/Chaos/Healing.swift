import Foundation
import SignalWireSandbox

/// Ends the trouble, and waits until the agents have nothing left to do.
///
/// Waiting isn't what is tested here, so long waits are cut short: the next attempt of a retrying user, and the next
/// probe of an account pause. That moves a time, and marks nobody due who wasn't.
struct Healing {
    let world: World
    let trace: Trace
    static let longestWait = Duration.seconds(150)

    /// How much is left to do.
    private struct Left: Equatable {
        var changes = 0
        var leased = 0
        var due = 0
        var pause: String?

        var isNothing: Bool { changes == 0 && leased == 0 && due == 0 && pause == nil }
    }

    /// - Returns: what kept it from coming to rest; empty if it did.
    func heal() async throws -> [String] {
        world.sandbox.setFaults([])
        world.relay.heal()
        try await world.fleet.heal()
        trace.note("healed")
        return try await untilIdle()
    }

    func untilIdle() async throws -> [String] {
        let deadline = ContinuousClock.now + Healing.longestWait
        var quiet = 0
        var last = Left()
        while ContinuousClock.now < deadline {
            try await hurry()
            last = try await left()
            if let pause = last.pause, pause != "account" { _ = try await world.command(["resume"]) }
            // Twice, because a change may be folded between two looks at two tables.
            quiet = last.isNothing ? quiet + 1 : 0
            if quiet >= 3 { return [] }
            try await Task.sleep(for: .milliseconds(300))
        }
        return ["not idle after \(Healing.longestWait): \(last)"]
    }

    private func hurry() async throws {
        try await world.application.run(
            """
            UPDATE subscriber_sync.subscriber SET due_at = now() WHERE user_key IN (
                SELECT user_key FROM subscriber_sync.subscriber
                WHERE standing = 'retrying' AND lease IS NULL AND due_at > now() + interval '2 seconds'
                ORDER BY user_key FOR UPDATE SKIP LOCKED);
            UPDATE subscriber_sync.control SET probe_at = now()
            WHERE pause_kind = 'account' AND probe_at > now() + interval '2 seconds'
            """)
    }

    private func left() async throws -> Left {
        let rows = try await world.application.rows(
            """
            SELECT (SELECT count(*) FROM subscriber_sync.change WHERE user_key IS NOT NULL)::text,
                (SELECT count(*) FROM subscriber_sync.subscriber WHERE lease IS NOT NULL)::text,
                (SELECT count(*) FROM subscriber_sync.subscriber WHERE lease IS NULL AND due_at IS NOT NULL)::text,
                (SELECT pause_kind FROM subscriber_sync.control)
            """, columns: 4)
        let row = rows.first ?? []
        let numbers = row.prefix(3).map { $0.flatMap(Int.init) ?? -1 }
        return Left(changes: numbers[0], leased: numbers[1], due: numbers[2], pause: row[3])
    }

    /// Users whom the API was made to refuse are the operator's to send again.
    ///
    /// - Returns: users who were refused, changed after that, and were left alone.
    func forgiveRefused() async throws -> [String] {
        let rows = try await world.application.rows(
            """
            SELECT user_key, (changed_at - last_attempt_at)::text,
                -- A claim reads what was committed until its snapshot, a moment after its transaction's time.
                CASE WHEN changed_at > last_attempt_at + interval '1 second' THEN 'forgotten' END
            FROM subscriber_sync.subscriber
            WHERE standing = 'rejected' AND last_error_code IN ('\(Weather.refusal)', 'redirected') ORDER BY changed_at - last_attempt_at DESC
            """, columns: 3)
        let keys = rows.compactMap { $0[0] }
        guard !keys.isEmpty else { return [] }
        trace.note(
            "resync of \(keys.count) refused users; the last change of one came \(rows.first?[1] ?? "") after the attempt"
        )
        let status = try await world.command(["resync", "--user"] + keys)
        var problems = rows.compactMap { row in
            row[2].map { _ in "user \(row[0] ?? "") was refused, changed \(row[1] ?? "") later, and is left alone" }
        }
        if status != 0 { problems.append("resync ended with \(status)") }
        return try await problems + untilIdle()
    }
}
