import Foundation
import SignalWireSandbox

/// All that is known of one user who isn't as they should be: our row, the log, and the calls on the wire.
struct Dossier {
    let lines: [String]

    /// - Parameter key: of the user; everybody who ever had the same reference is told of too.
    static func make(_ world: World, key: String) async throws -> Dossier {
        let row = try await world.application.rows(
            "SELECT email FROM public.users u WHERE id::text = '\(key)'", columns: 1)
        return try await make(world, reference: (row.first?[0] ?? "").trimmingCharacters(in: .whitespaces), key: key)
    }

    static func make(_ world: World, reference: String, key: String = "") async throws -> Dossier {
        let rows = try await world.application.rows(
            "SELECT u::text FROM public.users u WHERE id::text = '\(key)' OR btrim(email) = '\(reference)'", columns: 1)
        let states = try await world.application.rows(
            "SELECT s::text FROM subscriber_sync.subscriber s WHERE user_key = '\(key)' OR reference = '\(reference)'",
            columns: 1)
        let log = try await world.application.rows(
            """
            SELECT to_char(at, 'HH24:MI:SS.MS') || ' ' || concat_ws(' ', user_key, outcome, http_status, error_code,
                changed_fields::text, duration_ms || ' ms', 'agent ' || agent)
            FROM (
                SELECT * FROM subscriber_sync.log WHERE user_key = '\(key)' OR reference = '\(reference)'
                ORDER BY id DESC LIMIT 40) AS l
            ORDER BY id
            """, columns: 1)
        let calls = world.journal.calls(for: reference).suffix(40).map { call in
            "call of \(call.process) from \(time(call.began)) to \(call.ended.map(time) ?? "now")"
        }
        let subscriber = world.sandbox.subscriber(reference: reference)
        let there = subscriber.map {
            "sandbox: \($0.profile), last change \(time(Date(timeIntervalSince1970: $0.updatedAt)))"
        }
        return Dossier(
            lines: rows.map { "users: \($0[0] ?? "")" } + states.map { "state: \($0[0] ?? "")" }
                + [there ?? "sandbox: none"] + log.compactMap { $0[0] } + calls)
    }

    private static func time(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "HH:mm:ss.SSS"
        return formatter.string(from: date)
    }
}
