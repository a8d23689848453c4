import Postgres
import SyncCore

/// Looks the configured table up in the catalogue, and says in a sentence what doesn't fit.
enum SourceInspection {
    /// Finds the table and checks the columns and the key.
    static func inspect(_ mapping: SourceMapping, in session: Session) async throws(StoreError) -> SourceTable {
        do {
            guard let relation = try await session.query(findRelation, [.text(mapping.table.qualified.quoted)]).first
            else {
                throw StoreError(
                    .mismatch, "There is no table \(mapping.table) that this role can see.",
                    hint: "Set source.table to schema.table as \\dt shows it; capitals, spaces and dots in a name need "
                        + "double quotes, and the role needs USAGE on the schema.")
            }
            try checkKind(of: relation, mapping.capture)
            try checkRowSecurity(of: relation)
            let columns = try await session.query(findColumns, [.bigint(relation.oid)])
            try checkColumns(mapping, columns)
            try checkReadable(mapping, relation, columns)
            try checkUpdatedAt(mapping, columns)
            let key = try await keyType(mapping, relation, columns, session)
            var table = SourceTable(
                mapping: mapping, name: QualifiedName(schema: relation.schema, name: relation.name), keyType: key)
            table.hasIndexedKey = relation.kind == "r"
            try await checkScope(table, session)
            table.relatedTypes = try await ProfileInspection.inspect(table, in: session)
            return table
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw StoreError(.database, "The source table could not be inspected.")
        }
    }

    static func checkKind(of relation: Relation, _ capture: SourceMapping.Capture) throws(StoreError) {
        switch (relation.kind, capture) {
        case ("r", _), ("p", _), ("v", .polling), ("m", .polling), ("f", .polling): return
        case ("v", .triggers), ("m", .triggers):
            throw StoreError(
                .mismatch,
                "\(relation.schema).\(relation.name) is a view, and a view can't have the triggers that "
                    + "capture.mode listen needs.",
                hint: "Name the table behind it, or set capture.mode to poll.")
        case (let kind, _):
            throw StoreError(
                .mismatch, "\(relation.schema).\(relation.name) is not a table (its kind in pg_class is \(kind)).",
                hint: "Set source.table to an ordinary or partitioned table.")
        }
    }

    /// With `row_security = off`, PostgreSQL refuses what a policy would make incomplete.
    static func checkRowSecurity(of relation: Relation) throws(StoreError) {
        guard relation.hidesRows else { return }
        throw StoreError(
            .mismatch, "Row-level security would hide rows of \(relation.schema).\(relation.name) from this role.",
            hint:
                "ALTER ROLE … BYPASSRLS, or use the table's owner: users that can't be seen would be taken for deleted."
        )
    }

    private static func checkUpdatedAt(_ mapping: SourceMapping, _ columns: [Column]) throws(StoreError) {
        guard let name = mapping.updatedAt, let column = columns.first(where: { $0.name == name }) else { return }
        guard column.type.hasPrefix("timestamp") else {
            throw StoreError(
                .mismatch, "source.updated_at names \(name), which is of type \(column.type).",
                hint: "It must be a timestamp; one without time zone is read as UTC.")
        }
    }

    static func checkColumns(_ mapping: SourceMapping, _ columns: [Column]) throws(StoreError) {
        let names = Set(columns.map(\.name))
        for column in mapping.neededColumns where !names.contains(column) {
            let folded = names.first { $0.lowercased() == column.lowercased() }
            let nearest = folded.map { "It has a column \($0): names are taken as they are, capitals included." }
            throw StoreError(
                .mismatch, "\(mapping.table) has no column \(column).",
                hint: nearest ?? "Its columns: \(columns.map(\.name).prefix(30).joined(separator: ", ")).")
        }
    }

    static func checkReadable(
        _ mapping: SourceMapping, _ relation: Relation, _ columns: [Column]
    ) throws(StoreError) {
        let unreadable = columns.filter { mapping.neededColumns.contains($0.name) && !$0.isReadable }.map(\.name)
        guard !unreadable.isEmpty else { return }
        throw StoreError(
            .mismatch, "This role may not read \(unreadable.joined(separator: ", ")) of \(mapping.table).",
            hint: "GRANT SELECT (\(unreadable.map(quoteIdentifier).joined(separator: ", "))) "
                + "ON \(mapping.table.quoted) to it.")
    }

    private static func keyType(
        _ mapping: SourceMapping, _ relation: Relation, _ columns: [Column], _ session: Session
    ) async throws -> KeyType {
        guard let key = columns.first(where: { $0.name == mapping.key }) else {
            throw StoreError(.mismatch, "\(mapping.table) has no column \(mapping.key).")
        }
        let type = try await KeyType.find(key.name, of: mapping.table, oid: relation.oid, in: session)
        let isUnique = try await session.query(isUnique, [.bigint(relation.oid), .text(mapping.key)]).first == true
        try checkKey(mapping, relation, isNotNull: key.isNotNull, isUnique: isUnique)
        return type
    }

    static func checkKey(
        _ mapping: SourceMapping, _ relation: Relation, isNotNull: Bool, isUnique: Bool
    ) throws(StoreError) {
        // A view has no constraints; the sweep passes over null keys, and a claim takes one row of a key.
        if ["v", "m", "f"].contains(relation.kind) { return }
        guard isNotNull else {
            throw StoreError(
                .mismatch, "The key \(mapping.key) of \(mapping.table) may be null, so it can't tell users apart.",
                hint: "Name the primary key in source.key, or ALTER TABLE … ALTER COLUMN … SET NOT NULL.")
        }
        guard isUnique else {
            throw StoreError(
                .mismatch,
                "The key \(mapping.key) of \(mapping.table) is not unique: no unique index has it as its "
                    + "only column.",
                hint: "Name the primary key in source.key, or create a unique index on the column.")
        }
    }

    /// Lets the database parse the condition against the table, without running it.
    private static func checkScope(_ table: SourceTable, _ session: Session) async throws {
        guard let scope = table.mapping.scope else { return }
        let misfit = try await ConditionCheck.misfit(of: scope, named: "source.where", on: table.name, in: session)
        if let misfit { throw misfit }
    }
}

extension SourceInspection {
    struct Relation: Sendable {
        let oid: Int64
        let schema: String
        let name: String
        let kind: String
        /// Whether row-level security holds for this role.
        let hidesRows: Bool
    }

    struct Column: Sendable {
        let name: String
        let type: String
        let isNotNull: Bool
        let isReadable: Bool
    }

    static let findRelation = Statement<Relation>(
        "find_source",
        """
        SELECT c.oid::bigint, n.nspname, c.relname, c.relkind, row_security_active(c.oid)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1)
        """
    ) { row throws(PostgresError) in
        Relation(
            oid: try row.bigint(0), schema: try row.text(1), name: try row.text(2), kind: try row.text(3),
            hidesRows: try row.boolean(4))
    }

    static let findColumns = Statement<Column>(
        "find_source_columns",
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            has_column_privilege(a.attrelid, a.attnum, 'SELECT')
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """
    ) { row throws(PostgresError) in
        Column(
            name: try row.text(0), type: try row.text(1), isNotNull: try row.boolean(2), isReadable: try row.boolean(3))
    }

    /// A unique index over this column alone, without a condition. On a partitioned table the key may share
    /// its index with the partition key, which can't be avoided there.
    static let isUnique = Statement<Bool>(
        "is_key_unique",
        """
        SELECT EXISTS (
            SELECT FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $2
            WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                AND a.attnum = ANY (i.indkey::smallint[])
                AND (i.indnkeyatts = 1 OR c.relkind = 'p'))
        """
    ) { row throws(PostgresError) in try row.boolean(0) }
}
