import Crypto
import Postgres

/// The triggers on one source table, as the settings ask for them.
public struct CaptureDefinition: Sendable, Hashable {
    /// Whether a change is found by `WHEN` over columns, or by comparing rows inside the function.
    public enum Comparison: String, Sendable, CaseIterable {
        case columns
        /// No column is depended on, so the application's migrations meet no obstacle; some 17 µs a changed row.
        case row
    }

    /// Whether a change knocks.
    public enum Notification: String, Sendable, CaseIterable {
        case guarded
        case off
    }

    let table: QualifiedName
    let key: String
    /// Every column a change of which matters: mapped ones, the reference, and those of the condition.
    let watched: [String]
    /// A `BEFORE UPDATE` row trigger may change columns that the UPDATE doesn't name, which a list of
    /// columns (`UPDATE OF`) would miss.
    let hasBeforeUpdateTrigger: Bool
    let comparison: Comparison
    let notification: Notification

    /// One trigger: its name, and the statement that makes it.
    struct Trigger: Sendable, Hashable {
        let name: String
        let sql: String

        /// Stands in the trigger's comment, so that a trigger that is as it should be is left alone.
        var digest: String {
            let hash = SHA256.hash(data: Array(sql.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            return "subscriber-sync: \(String(hash, radix: 16))"
        }
    }

    /// The four triggers, in the order of their names.
    var triggers: [Trigger] {
        [
            trigger("delete", "DELETE", function()),
            trigger("insert", "INSERT", function()),
            trigger(
                "rekey", "UPDATE\(hasBeforeUpdateTrigger ? "" : " OF \(quoteIdentifier(key))")",
                "WHEN (\(differs(key))) " + function()),
            update,
        ]
    }

    private var update: Trigger {
        switch comparison {
        case .row:
            let columns = watched.map { ", " + quoteLiteral($0) }.joined()
            return trigger("update", "UPDATE", function(columns))
        case .columns:
            let list = hasBeforeUpdateTrigger ? "" : " OF " + watched.map(quoteIdentifier).joined(separator: ", ")
            let condition = watched.map(differs).joined(separator: " OR ")
            return trigger("update", "UPDATE\(list)", "WHEN (\(condition)) " + function())
        }
    }

    private func differs(_ column: String) -> String {
        let name = quoteIdentifier(column)
        // As text: that is what is sent, and every type has it, also those without an equality (json, xml).
        return "OLD.\(name)::text IS DISTINCT FROM NEW.\(name)::text"
    }

    private func function(_ columns: String = "") -> String {
        let arguments = quoteLiteral(key) + ", " + quoteLiteral(notification.rawValue) + columns
        return "EXECUTE FUNCTION subscriber_sync.capture(\(arguments))"
    }

    private func trigger(_ suffix: String, _ event: String, _ rest: String) -> Trigger {
        let name = CaptureDefinition.prefix + suffix
        return Trigger(
            name: name, sql: "CREATE TRIGGER \(name) AFTER \(event) ON \(table.quoted) FOR EACH ROW \(rest)")
    }

    /// What the names of our triggers begin with. PostgreSQL fires triggers in the order of their names.
    static let prefix = "subscriber_sync_"
}
