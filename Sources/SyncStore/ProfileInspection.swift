import Postgres
import SyncCore

/// Looks at what profiles are read from besides the table's own columns: expressions, a profile, related tables.
enum ProfileInspection {
    /// - Returns: the types of the keys of related tables, by the tables' names as SQL spells them.
    static func inspect(
        _ source: SourceTable, in session: Session
    ) async throws(StoreError) -> [String: String] {
        if let profile = source.mapping.profile { try await check(profile, of: source, session) }
        for field in source.mapping.orderedFields {
            guard let text = source.mapping.fields[field], SourceMapping.isExpression(text) else { continue }
            try await check(field, text, of: source, session)
        }
        var types: [String: String] = [:]
        for related in source.mapping.related {
            types[related.table.qualified.quoted] = try await check(related, of: source, session)
        }
        return types
    }

    // MARK: source.profile

    private static func check(
        _ profile: QualifiedName, of source: SourceTable, _ session: Session
    ) async throws(StoreError) {
        let mapping = source.mapping
        let relation = try await find(profile, named: "source.profile", kinds: "rpvmf", session)
        let needed = [mapping.key] + mapping.fieldColumns
        try await checkColumns(needed, of: relation, profile, session)
        if ["r", "p"].contains(relation.kind) { try await checkUnique(mapping.key, of: relation, profile, session) }
        let (key, name) = (quoteIdentifier(mapping.key), profile.qualified.quoted)
        try await probe(
            "SELECT FROM \(source.name.quoted) JOIN \(name) ON \(name).\(key) = \(source.keyColumn) LIMIT 0",
            "The column \(mapping.key) of \(profile) can't be compared with that of \(mapping.table)", session)
    }

    /// With several rows for one user, one or another would be taken.
    private static func checkUnique(
        _ key: String, of relation: SourceInspection.Relation, _ table: QualifiedName, _ session: Session
    ) async throws(StoreError) {
        let isUnique = try await rows(SourceInspection.isUnique, [.bigint(relation.oid), .text(key)], session).first
        guard isUnique == true else {
            throw StoreError(
                .mismatch, "The column \(key) of \(table) is not unique, so a user may have several profiles.",
                hint: "Create a unique index on the column, or name a view in source.profile that has one row a user.")
        }
    }

    // MARK: source.fields

    /// Beside a column, so that an aggregate is refused, and in a CASE, where PostgreSQL allows no function that
    /// returns many rows.
    private static func check(
        _ field: ProfileField, _ expression: String, of source: SourceTable, _ session: Session
    ) async throws(StoreError) {
        let from = (source.mapping.profile?.qualified ?? source.name).quoted
        let outer = source.mapping.profile == nil ? "" : " FROM \(source.name.quoted) CROSS JOIN LATERAL ("
        let key = "\(from).\(quoteIdentifier(source.mapping.key))"
        let inner = "SELECT \(key), CASE WHEN true THEN (\(expression))::text END FROM \(from) LIMIT 0"
        try await probe(
            outer.isEmpty ? inner : "SELECT\(outer)\(inner)) AS subscriber_sync_profile",
            "source.fields.\(field.rawValue) is not an expression over \(source.mapping.profile ?? source.mapping.table)",
            session)
    }

    // MARK: capture.related

    private static func check(
        _ related: RelatedTable, of source: SourceTable, _ session: Session
    ) async throws(StoreError) -> String {
        let relation = try await find(related.table, named: "capture.related", kinds: "rp", session)
        try await checkColumns([related.key] + related.columns, of: relation, related.table, session)
        let columns = try await rows(SourceInspection.findColumns, [.bigint(relation.oid)], session)
        let owner = try await find(source.name, named: "source.table", kinds: "rpvmf", session)
        try await checkColumns([related.users], of: owner, source.name, session)
        let type = columns.first { $0.name == related.key }?.type ?? "text"
        let users = "\(source.name.quoted).\(quoteIdentifier(related.users))"
        try await probe(
            "SELECT FROM \(source.name.quoted) WHERE \(users) = NULL::\(type) LIMIT 0",
            "The column \(related.users) of \(source.mapping.table) can't be compared with \(related.key) of "
                + "\(related.table)", session)
        return type
    }

    // MARK: What they share

    private static func find(
        _ table: QualifiedName, named setting: String, kinds: String, _ session: Session
    ) async throws(StoreError) -> SourceInspection.Relation {
        let found = try await rows(SourceInspection.findRelation, [.text(table.qualified.quoted)], session).first
        guard let found else {
            throw StoreError(
                .mismatch, "\(setting) names \(table), which is no table that this role can see.",
                hint: "Write schema.table as \\dt shows it; the role needs USAGE on the schema.")
        }
        guard kinds.contains(found.kind) else {
            throw StoreError(
                .mismatch,
                "\(setting) names \(table), which can't have triggers (its kind in pg_class is \(found.kind)).",
                hint: "Name the tables behind it.")
        }
        guard !found.hidesRows else {
            throw StoreError(
                .mismatch, "Row-level security would hide rows of \(table) from this role.",
                hint: "ALTER ROLE … BYPASSRLS, or use the table's owner.")
        }
        return found
    }

    private static func checkColumns(
        _ names: [String], of relation: SourceInspection.Relation, _ table: QualifiedName, _ session: Session
    ) async throws(StoreError) {
        let columns = try await rows(SourceInspection.findColumns, [.bigint(relation.oid)], session)
        for name in names {
            guard let column = columns.first(where: { $0.name == name }) else {
                throw StoreError(
                    .mismatch, "\(table) has no column \(name).",
                    hint: "Its columns: \(columns.map(\.name).prefix(30).joined(separator: ", ")).")
            }
            guard column.isReadable else {
                throw StoreError(
                    .mismatch, "This role may not read \(name) of \(table).",
                    hint: "GRANT SELECT (\(quoteIdentifier(name))) ON \(table.quoted) to it.")
            }
        }
    }

    /// Lets the database judge a statement that gives no row.
    private static func probe(_ sql: String, _ complaint: String, _ session: Session) async throws(StoreError) {
        do {
            _ = try await session.execute(Statement<Void>("check_profile", sql))
        } catch {
            guard error.sqlState != nil, !error.isConnectionLoss else { throw StoreError(error) }
            throw StoreError(.mismatch, "\(complaint): \(error.message)", hint: hint(for: error))
        }
    }

    static func hint(for error: PostgresError) -> String {
        switch error.sqlState {
        case "42P01", "42883", "42704", "3F000":
            "Names in it need their schema, as in public.companies: only pg_catalog is searched."
        case "42501": "GRANT SELECT on what it reads to this role."
        case _: error.hint ?? "It is put between parentheses, and must give one value for each row."
        }
    }

    private static func rows<Row>(
        _ statement: Statement<Row>, _ parameters: [Parameter], _ session: Session
    ) async throws(StoreError) -> [Row] {
        do {
            return try await session.query(statement, parameters)
        } catch {
            throw StoreError(error)
        }
    }
}
