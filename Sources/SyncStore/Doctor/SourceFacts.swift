import Postgres
import SyncCore

/// What the catalogue says of the configured table, read for `doctor`, which judges one thing at a time.
public struct SourceFacts: Sendable {
    let mapping: SourceMapping
    /// The role that asks.
    let role: String
    /// `nil`: there is no such table, or the role can't see it.
    let relation: SourceInspection.Relation?
    let columns: [SourceInspection.Column]
    let isKeyUnique: Bool
    let partitions: Int
    /// Row triggers that may change a row before it is written, by name.
    let beforeTriggers: [String]

    /// Reads them; needs nothing of ours in the database.
    public static func read(_ mapping: SourceMapping, in session: Session) async throws(StoreError) -> SourceFacts {
        do {
            let name = mapping.table.qualified.quoted
            let relation = try await session.query(SourceInspection.findRelation, [.text(name)]).first
            guard let relation else {
                let role = try await session.query(currentRole).first ?? ""
                return SourceFacts(
                    mapping: mapping, role: role, relation: nil, columns: [], isKeyUnique: false, partitions: 0,
                    beforeTriggers: [])
            }
            let oid = Parameter.bigint(relation.oid)
            let columns = try await session.query(SourceInspection.findColumns, [oid])
            let isUnique = try await session.query(SourceInspection.isUnique, [oid, .text(mapping.key)]).first
            let surroundings = try await session.query(surroundings, [oid]).first
            return SourceFacts(
                mapping: mapping, role: surroundings?.role ?? "", relation: relation, columns: columns,
                isKeyUnique: isUnique == true, partitions: surroundings?.partitions ?? 0,
                beforeTriggers: surroundings?.beforeTriggers ?? [])
        } catch {
            throw StoreError(error)
        }
    }

    static let currentRole = Statement<String>("current_role", "SELECT current_user::text") {
        row throws(PostgresError) in try row.text(0)
    }

    static let surroundings = Statement<(role: String, partitions: Int, beforeTriggers: [String])>(
        "source_surroundings",
        """
        SELECT current_user::text,
            (SELECT count(*) FROM pg_catalog.pg_partition_tree($1::bigint::oid::regclass) tree WHERE tree.isleaf),
            ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger t
                WHERE t.tgrelid = $1::bigint::oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
                    AND (t.tgtype & 1) > 0 AND (t.tgtype & 2) > 0 AND (t.tgtype & 16) > 0 ORDER BY 1)
        """
    ) { row throws(PostgresError) in
        (try row.text(0), try row.integer(1), try row.textArray(2).compactMap { $0 })
    }
}

extension SourceFacts {
    /// Whether there is such a table, of a kind that can be synced. Everything else of the source needs it.
    public var tableCheck: Check {
        guard let relation else {
            return .fail(
                "table", "There is no table \(mapping.table) that this role can see.",
                hint: "Set source.table to schema.table as \\dt shows it, or let the role into the schema.",
                remedy: "GRANT USAGE ON SCHEMA \(quoteIdentifier(mapping.table.qualified.schema ?? "public")) "
                    + "TO \(quoteIdentifier(role));")
        }
        let parts = relation.kind == "p" ? ", partitioned (\(partitions) partitions)" : ""
        let found = "\(relation.schema).\(relation.name) is there\(parts)."
        return judge("table", found) { () throws(StoreError) in
            try SourceInspection.checkKind(of: relation, mapping.capture)
        }
    }

    /// Whether every mapped column is there, and may be read.
    public var columnsCheck: Check {
        guard let relation else { return absent("columns", because: "table") }
        let found = "All \(mapping.neededColumns.count) mapped columns are there and can be read."
        let check = judge("columns", found) { () throws(StoreError) in
            try SourceInspection.checkColumns(mapping, columns)
            try SourceInspection.checkReadable(mapping, relation, columns)
        }
        let closed = columns.filter { mapping.neededColumns.contains($0.name) && !$0.isReadable }.map(\.name)
        guard check.verdict == .fail, !closed.isEmpty else { return check }
        return check.with(
            remedy: "GRANT SELECT (\(closed.map(quoteIdentifier).joined(separator: ", "))) "
                + "ON \(mapping.table.qualified.quoted) TO \(quoteIdentifier(role));")
    }

    /// Whether the key tells users apart.
    public var keyCheck: Check {
        guard let relation, let key = columns.first(where: { $0.name == mapping.key }) else {
            return absent("key", because: relation == nil ? "table" : "columns")
        }
        let check = judge("key", "The key \(key.name) is unique and not null.") { () throws(StoreError) in
            try SourceInspection.checkKey(mapping, relation, isNotNull: key.isNotNull, isUnique: isKeyUnique)
        }
        let (table, column) = (mapping.table.qualified.quoted, quoteIdentifier(key.name))
        guard check.verdict == .fail else { return check }
        return check.with(
            remedy: key.isNotNull
                ? "CREATE UNIQUE INDEX CONCURRENTLY ON \(table) (\(column));"
                : "ALTER TABLE \(table) ALTER COLUMN \(column) SET NOT NULL;")
    }

    /// Whether a policy hides users, who would be taken for deleted.
    public var rowSecurityCheck: Check {
        guard let relation else { return absent("row_security", because: "table") }
        let check = judge("row_security", "No policy hides rows from the role \(role).") { () throws(StoreError) in
            try SourceInspection.checkRowSecurity(of: relation)
        }
        return check.verdict == .fail
            ? check.with(remedy: "ALTER ROLE \(quoteIdentifier(role)) BYPASSRLS;") : check
    }

    /// What triggers of the application do before ours fire.
    public var beforeTriggersCheck: Check {
        let names = beforeTriggers.joined(separator: ", ")
        return .ok(
            "before_triggers",
            beforeTriggers.isEmpty
                ? "No BEFORE UPDATE trigger changes rows behind ours."
                : "BEFORE UPDATE triggers may change rows (\(names)); ours then fire on every UPDATE, and compare.")
    }

    private func absent(_ name: String, because other: String) -> Check {
        .skipped(name, "Not looked at, because of \(other).")
    }

    private func judge(_ name: String, _ found: String, _ prove: () throws(StoreError) -> Void) -> Check {
        do throws(StoreError) {
            try prove()
            return .ok(name, found)
        } catch {
            return .fail(name, error.message, hint: error.hint)
        }
    }
}

extension Check {
    /// The same, with what to copy.
    func with(remedy: String) -> Check { Check(name, verdict, finding, hint: hint, remedy: remedy) }
}
