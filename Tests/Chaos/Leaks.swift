import Foundation
import SignalWireSandbox

/// Searches everything that the product wrote for what it must never write (I7): the values of profiles, tokens,
/// the API token and the password of the database; and at the usual level, references that are e-mail addresses.
struct Leaks {
    private let texts: [(place: String, text: String)]

    private static let secrets = [
        "plantedtitle", "plantedname", World.apiToken, World.password, SandboxToken.headerMarker.lowercased(),
        SandboxToken.bodyMarker.lowercased(),
    ]

    static func make(_ world: World) async throws -> Leaks {
        var texts: [(place: String, text: String)] = []
        for file in world.outputs {
            texts.append((file.lastPathComponent, (try? String(contentsOf: file, encoding: .utf8)) ?? ""))
        }
        let tables = try await world.application.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'subscriber_sync'::regnamespace AND relkind IN ('r', 'v', 'p')",
            columns: 1)
        for table in tables.compactMap({ $0[0] }) {
            let rows = try await world.application.rows(
                "SELECT string_agg(t::text, E'\\n') FROM subscriber_sync.\(table) t", columns: 1)
            texts.append(("table \(table)", rows.first?[0] ?? ""))
        }
        return Leaks(texts: texts)
    }

    func violations() -> [String] {
        texts.flatMap { place, text in
            let lines = text.lowercased().split(separator: "\n")
            let isLog = place.hasPrefix("agent-") && !place.hasPrefix("agent-0")
            let secrets = Leaks.secrets + (isLog ? ["@planted.example"] : [])
            return secrets.compactMap { secret in
                lines.first { $0.contains(secret) }.map { "\(secret) leaked into \(place): \($0.prefix(300))" }
            }
        }
    }
}
