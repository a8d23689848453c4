import Crypto
import Postgres

/// The triggers, as the settings and the tables ask for them.
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

    /// A table that gets triggers.
    struct Table: Sendable, Hashable {
        /// What it is to us. The raw value stands in `capture_trigger`.
        enum Part: String, Sendable, CaseIterable {
            case source
            /// It inherits from one of the others, whose row triggers don't fire for its rows.
            case child
            /// Profiles are read from it too.
            case related
        }

        let name: QualifiedName
        let part: Part
        /// For a related table and those that inherit from it: its name as the agent looks for it.
        let relatedName: String?
        /// The copies of a trigger on partitions follow only a statement without ONLY.
        let isPartitioned: Bool
        /// A `BEFORE UPDATE` row trigger may change columns that the UPDATE doesn't name, which a list of
        /// columns (`UPDATE OF`) would miss.
        let hasBeforeUpdateTrigger: Bool
        let key: String
        /// Every column a change of which matters, besides the key: mapped ones, the reference, and those of the
        /// condition.
        let watched: [String]
        /// How the columns are compared, by their names.
        let types: [String: CaptureCatalogue.ColumnType]
    }

    let tables: [Table]
    let comparison: Comparison
    let notification: Notification
    /// Whether the triggers fire also for what replication applies, and in sessions with `session_replication_role`.
    let firesOnReplica: Bool
    /// A digest of the mapping they are made from.
    let mapping: String

    /// The functions that name the key.
    var functions: [CaptureFunction] {
        guard let table = tables.first else { return [] }
        return CaptureFunction.Row.allCases.map { row in
            CaptureFunction(
                row: row, key: table.key, isKeyPadded: table.types[table.key]?.isPadded == true,
                notification: notification)
        }
    }

    /// All triggers, table by table, in the order of their names.
    var triggers: [CaptureTrigger] { tables.flatMap { triggers(on: $0) } }

    private func triggers(on table: Table) -> [CaptureTrigger] {
        if table.relatedName != nil { return relatedTriggers(on: table) }
        let list = table.hasBeforeUpdateTrigger ? "" : " OF \(quoteIdentifier(table.key))"
        let rekey = trigger("rekey", "UPDATE\(list)", table, when: [table.key], call: "capture_old()")
        return [
            trigger("delete", "DELETE", table, call: "capture_old()"),
            trigger("insert", "INSERT", table, call: "capture_new()"),
            comparison == .columns ? rekey : nil,
            trigger("truncate", "TRUNCATE", table, call: comparing(table, [])),
            update(table),
        ].compactMap { $0 }
    }

    /// Few rows change there, so one function does for all.
    private func relatedTriggers(on table: Table) -> [CaptureTrigger] {
        let call = comparing(table, [])
        return [
            trigger("related_delete", "DELETE", table, call: call),
            trigger("related_insert", "INSERT", table, call: call),
            trigger("related_truncate", "TRUNCATE", table, call: call),
            update(table, named: "related_update", call: call),
        ]
    }

    private func update(_ table: Table) -> CaptureTrigger { update(table, named: "update", call: "capture_new()") }

    /// A changed key gives the new one here, and the old one by `rekey`.
    private func update(_ table: Table, named name: String, call: String) -> CaptureTrigger {
        let columns = [table.key] + table.watched
        let comparing = trigger(name, "UPDATE", table, call: comparing(table, columns))
        switch comparison {
        case .row: return comparing
        case .columns:
            let list = " OF " + columns.map(quoteIdentifier).joined(separator: ", ")
            return trigger(
                name, "UPDATE\(table.hasBeforeUpdateTrigger ? "" : list)", table, when: columns, call: call,
                fallback: comparing.sql)
        }
    }

    private func comparing(_ table: Table, _ columns: [String]) -> String {
        let name = table.relatedName
        let arguments = [table.key, notification.rawValue] + [name].compactMap { $0 } + columns
        return "\(name == nil ? "capture" : "capture_related")(\(arguments.map(quoteLiteral).joined(separator: ", ")))"
    }

    /// As text, which is what is sent; every type has it, also those without an equality (json, xml). By bytes: a
    /// collation may call different texts equal. Where the type's own equality says the same, that is cheaper.
    private func differs(_ column: String, _ types: [String: CaptureCatalogue.ColumnType]) -> String {
        let form = types[column]?.isPlain == true ? "" : "::text COLLATE \"C\""
        let name = quoteIdentifier(column)
        return "OLD.\(name)\(form) IS DISTINCT FROM NEW.\(name)\(form)"
    }

    private func trigger(
        _ suffix: String, _ event: String, _ table: Table, when columns: [String] = [], call: String,
        fallback: String? = nil
    ) -> CaptureTrigger {
        let name = CaptureDefinition.prefix + suffix
        let each = event == "TRUNCATE" ? "STATEMENT" : "ROW"
        let condition =
            columns.isEmpty ? "" : "WHEN (\(columns.map { differs($0, table.types) }.joined(separator: " OR "))) "
        return CaptureTrigger(
            relation: table.name.quoted, name: name, part: table.part, isPartitioned: table.isPartitioned,
            sql: "CREATE TRIGGER \(name) AFTER \(event) ON \(table.name.quoted) FOR EACH \(each) "
                + "\(condition)EXECUTE FUNCTION subscriber_sync.\(call)",
            fallback: fallback, isAlways: firesOnReplica, mapping: mapping)
    }

    /// What the names of our triggers begin with. PostgreSQL fires triggers in the order of their names.
    static let prefix = "subscriber_sync_"
}

/// One trigger: where it belongs, and the statement that makes it.
struct CaptureTrigger: Sendable, Hashable {
    /// The table as SQL spells it.
    let relation: String
    let name: String
    let part: CaptureDefinition.Table.Part
    let isPartitioned: Bool
    let sql: String
    /// The statement for where that fails, because a column is gone.
    let fallback: String?
    let isAlways: Bool
    let mapping: String

    /// How `pg_trigger` says that it is switched on as it should be.
    var enabled: String { isAlways ? "A" : "O" }

    /// What makes it, in order.
    var statements: [String] {
        // A table that inherits has triggers of its own.
        let only = isPartitioned ? "" : "ONLY "
        return [sql] + (isAlways ? ["ALTER TABLE \(only)\(relation) ENABLE ALWAYS TRIGGER \(name)"] : [])
    }

    /// Its row in `capture_trigger`, but for what PostgreSQL makes of it.
    var row: String {
        let texts = [relation, name, part.rawValue, sql].map(quoteLiteral) + [fallback.map(quoteLiteral) ?? "NULL"]
        return "(\((texts + [isAlways ? "true" : "false", quoteLiteral(mapping)]).joined(separator: ", ")))"
    }
}

extension SourceMapping {
    /// Tells mappings apart by what has to be watched: two that read the same columns into other fields have the same.
    var captureDigest: String {
        let columns = Set(fields.values).sorted()
        let others = related.map { entry in
            ([entry.table.qualified.quoted, entry.key] + entry.columns.sorted()).joined(separator: ",")
        }
        let parts =
            [table.qualified.quoted, key, reference, scope ?? "", profile?.qualified.quoted ?? ""] + columns
            + Set(others).sorted()
        let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
        let hash = SHA256.hash(data: Array(text.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        return String(hash, radix: 16)
    }
}
