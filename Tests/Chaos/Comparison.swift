import Foundation
import SignalWireSandbox

/// Compares the application's table, our state table and the sandbox, user by user.
///
/// A user in scope must be in sync: told exactly what the row says, to the subscriber that the state table names.
/// Only three other ends are right, each with its reason in the data: no reference; a reference other than the one
/// that was admitted (of users whose reference the program changes); a reference that another user has too.
struct Comparison {
    private struct Row {
        let key: String
        let reference: String?
        let fields: [String: String]
        let isInScope: Bool
    }

    private struct State {
        let key: String
        let status: String
        let reference: String?
        let subscriber: String?
        let code: String?
        let isAdmitted: Bool
    }

    private let rows: [Row]
    private let states: [State]
    private let subscribers: [String: SandboxSubscriber]
    private let movers: Set<String>

    /// How many users there are of each status.
    var counts: [String: Int] { Dictionary(states.map { ($0.status, 1) }, uniquingKeysWith: +) }

    static func make(_ world: World) async throws -> Comparison {
        let rows = try await world.application.rows(
            "SELECT id::text, email, first_name, title, time_zone, (deleted_at IS NULL)::text FROM public.users",
            columns: 6)
        let states = try await world.application.rows(
            """
            SELECT user_key, status, reference, subscriber_id::text, last_error_code, (admitted_at IS NOT NULL)::text
            FROM subscriber_sync.subscriber
            """, columns: 6)
        return Comparison(rows, states, world.sandbox.snapshot())
    }

    private init(_ rows: [[String?]], _ states: [[String?]], _ subscribers: [SandboxSubscriber]) {
        self.rows = rows.map { row in
            let fields = zip(["first_name", "job_title", "time_zone"], row[2...4]).map { ($0, Self.trimmed($1) ?? "") }
            return Row(
                key: row[0] ?? "", reference: Self.trimmed(row[1]), fields: Dictionary(uniqueKeysWithValues: fields),
                isInScope: row[5] == "true")
        }
        self.states = states.map {
            State(
                key: $0[0] ?? "", status: $0[1] ?? "", reference: $0[2], subscriber: $0[3], code: $0[4],
                isAdmitted: $0[5] == "true")
        }
        self.subscribers = Dictionary(subscribers.map { ($0.reference, $0) }) { first, _ in first }
        movers = Set(self.rows.filter { $0.reference?.hasPrefix("moving") ?? true }.map(\.key))
    }

    private static func trimmed(_ text: String?) -> String? {
        let trimmed = text?.trimmingCharacters(in: .whitespaces) ?? ""
        return trimmed.isEmpty ? nil : trimmed
    }

    /// One sentence for each user who isn't as they should be.
    func problems() -> [String] { problemsByUser().map(\.sentence) }

    /// The same, with the users' keys.
    func problemsByUser() -> [(key: String, sentence: String)] {
        let byKey = Dictionary(states.map { ($0.key, $0) }) { first, _ in first }
        let present = Set(rows.map(\.key))
        let ofRows = rows.compactMap { row in
            problem(with: row, byKey[row.key]).map { (row.key, "user \(row.key) \($0)") }
        }
        let ofGone = states.filter { !present.contains($0.key) && $0.status != "deleted" }.map {
            ($0.key, "user \($0.key) is gone, and is \($0.status)")
        }
        return (ofRows + ofGone + shared()).sorted { $0.1 < $1.1 }
    }

    private func problem(with row: Row, _ state: State?) -> String? {
        guard let state else { return "is unknown" }
        guard row.isInScope else {
            return state.status == "out_of_scope" ? nil : "is out of scope, and \(state.status)"
        }
        switch state.status {
        case "synced": return difference(row, state)
        case "held": return isHeldRightly(row, state) ? nil : "is held as \(state.code ?? "nothing") without reason"
        default: return "is \(state.status) (\(state.code ?? "no code"))"
        }
    }

    private func difference(_ row: Row, _ state: State) -> String? {
        guard let reference = row.reference, let there = subscribers[reference] else {
            return "is synced, and the API doesn't know them"
        }
        guard there.subscriberID == state.subscriber else { return "has the wrong subscriber_id" }
        for (field, wanted) in row.fields.sorted(by: { $0.key < $1.key }) where there.profile[field] ?? "" != wanted {
            return "is stale: \(field) is \(there.profile[field] ?? "absent"), and should be \(wanted)"
        }
        return nil
    }

    private func isHeldRightly(_ row: Row, _ state: State) -> Bool {
        switch state.code {
        case "missing_reference": row.reference == nil
        case "reference_changed": movers.contains(row.key) && state.isAdmitted && state.reference != row.reference
        case "duplicate_reference":
            states.contains { other in
                other.key != state.key && other.isAdmitted && other.status != "deleted"
                    && other.reference?.lowercased() == row.reference?.lowercased()
            }
        default: false
        }
    }

    /// No subscriber stands for two users.
    private func shared() -> [(key: String, sentence: String)] {
        let users = Dictionary(grouping: states.filter { $0.status == "synced" && $0.subscriber != nil }) {
            $0.subscriber ?? ""
        }
        return users.values.filter { $0.count > 1 }.map {
            ($0[0].key, "users \($0.map(\.key).sorted()) share a subscriber")
        }
    }
}
