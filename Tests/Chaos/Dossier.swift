import Foundation
import SignalWireSandbox

/// All that is known of one user who isn't as they should be: our row, the log, and the calls on the wire.
struct Dossier {
    let lines: [String]

    static func make(_ world: World, key: String) async throws -> Dossier {
        let state = try await world.application.rows(
            "SELECT s::text FROM subscriber_sync.subscriber s WHERE user_key = '\(key)'", columns: 1)
        let row = try await world.application.rows(
            "SELECT u::text, email FROM public.users u WHERE id::text = '\(key)'", columns: 2)
        let log = try await world.application.rows(
            """
            SELECT to_char(at, 'HH24:MI:SS.MS') || ' ' || concat_ws(' ', outcome, http_status, error_code,
                changed_fields::text, duration_ms || ' ms', 'agent ' || agent)
            FROM (SELECT * FROM subscriber_sync.log WHERE user_key = '\(key)' ORDER BY id DESC LIMIT 25) AS l ORDER BY id
            """, columns: 1)
        let reference = (row.first?[1] ?? "")?.trimmingCharacters(in: .whitespaces)
        let calls = world.journal.calls(for: reference ?? "").suffix(25).map { call in
            "call of \(call.process) from \(time(call.began)) to \(call.ended.map(time) ?? "now")"
        }
        let subscriber = world.sandbox.subscriber(reference: reference ?? "")
        let there = subscriber.map {
            "sandbox: \($0.profile), last change \(time(Date(timeIntervalSince1970: $0.updatedAt)))"
        }
        return Dossier(
            lines: [
                "users: \(row.first?[0] ?? "none")", "state: \(state.first?[0] ?? "none")", there ?? "sandbox: none",
            ]
                + log.compactMap { $0[0] } + calls)
    }

    private static func time(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "HH:mm:ss.SSS"
        return formatter.string(from: date)
    }
}
