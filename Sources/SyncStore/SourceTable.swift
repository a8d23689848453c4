import Postgres
import SyncCore

/// The source table as the database knows it: the mapping, checked, with what the queries need to know.
public struct SourceTable: Sendable {
    public let mapping: SourceMapping
    /// The table with the schema it was found in.
    public let name: QualifiedName
    /// The key's type, to compare by the key's own index.
    let keyType: KeyType
    /// Whether one index leads to the rows in the order of the key. A table's does; of a view nobody knows, and partitions
    /// have one each.
    var hasIndexedKey = true
    /// The types of the keys of related tables, by the tables' names as SQL spells them.
    var relatedTypes: [String: String] = [:]

    /// Looks the table up, and checks that the mapping fits it; needs nothing of ours in the database.
    public static func find(_ mapping: SourceMapping, in session: Session) async throws(StoreError) -> SourceTable {
        try await SourceInspection.inspect(mapping, in: session)
    }

    /// The columns of one user as a subquery that can stand behind LATERAL.
    ///
    /// Its columns: the reference, whether the user is in scope, each mapped field, and whether the profile has a row,
    /// all but the two truths as text. Own scope, so that no name of the outer query can be taken for a column here.
    ///
    /// - Parameter key: an SQL expression of type text.
    func row(ofKey key: String) -> String {
        """
        SELECT \(columns)
        FROM \(rows)
        WHERE \(isRow(ofKey: key))
        LIMIT 1
        """
    }

    /// Whether a row is the one of a key, as SQL over the table's columns.
    ///
    /// It is found by what the key's type calls equal, so that the key's index serves. It must have the same text too:
    /// `Cite` and `cite` are one to citext, and would be two users of ours on one row.
    ///
    /// - Parameters:
    ///   - key: an SQL expression of type text.
    ///   - alias: the table's, where it has one.
    func isRow(ofKey key: String, in alias: String? = nil) -> String {
        "\(equalsKey(key, in: alias)) AND (\(keyColumn(alias))::text COLLATE \"C\") = (\(key))"
    }

    /// The same, however the key is written.
    func equalsKey(_ key: String, in alias: String? = nil) -> String {
        "\(keyColumn(alias)) \(keyType.operator("=")) \(keyType.value(of: key))"
    }

    /// Whether a row comes behind a key, in the order of the key's index.
    func isBehind(key: String) -> String {
        "\(keyColumn(nil)) \(keyType.operator(">")) \(keyType.value(of: key))"
    }

    private func keyColumn(_ alias: String?) -> String {
        alias.map { $0 + "." + quoteIdentifier(mapping.key) } ?? keyColumn
    }

    /// Whether a row is in scope; never NULL.
    var inScope: String { "\(bracketed(mapping.scope ?? "true")) IS TRUE" }

    /// A page of users in the order of the key, as a subquery: the columns of `row(ofKey:)`, the key as
    /// `source_key`, and as text in `user_key`.
    ///
    /// - Parameters:
    ///   - condition: which rows, as SQL over the table's columns.
    ///   - order: SQL for ORDER BY.
    ///   - limit: an SQL expression.
    ///   - extra: further columns, each with a comma in front.
    func page(where condition: String, order: String, limit: String, also extra: String = "") -> String {
        """
        SELECT \(keyColumn) AS source_key, \(keyColumn)::text COLLATE "C" AS user_key,
            \(columns)\(extra)
        FROM \(rows)
        WHERE \(condition)
        ORDER BY \(order) LIMIT \(limit)
        """
    }

    /// The key with the table's name, so that no column of an answer is taken for it.
    var keyColumn: String { "\(name.quoted).\(quoteIdentifier(mapping.key))" }

    private var columns: String {
        """
        \(name.quoted).\(quoteIdentifier(mapping.reference))::text AS source_reference,
            \(inScope) AS in_scope,
            \(mapping.profile == nil ? fieldColumns : profileColumns)
        """
    }

    /// The table, and the row of the profile that belongs to each of its rows. The profile's columns have names of
    /// ours, so that the condition's names can only mean the table's.
    private var rows: String {
        guard let profile = mapping.profile else { return name.quoted }
        return """
            \(name.quoted) LEFT JOIN LATERAL (
                SELECT \(fieldColumns)
                FROM \(profile.qualified.quoted)
                WHERE \(profile.qualified.quoted).\(quoteIdentifier(mapping.key)) = \(keyColumn)
                LIMIT 1
            ) AS subscriber_sync_profile ON true
            """
    }

    /// `"title"::text AS field_0, …`
    private var fieldColumns: String {
        let values = mapping.orderedFields.enumerated().map { index, field in
            "\(bracketed(mapping.value(of: field)))::text AS field_\(index)"
        }
        return (values + ["true AS has_profile"]).joined(separator: ",\n    ")
    }

    private var profileColumns: String {
        let values = mapping.orderedFields.indices.map { "subscriber_sync_profile.field_\($0)" }
        return (values + ["subscriber_sync_profile.has_profile IS TRUE AS has_profile"]).joined(separator: ",\n    ")
    }

    /// Everybody in scope, as a subquery with the columns of `row(ofKey:)`.
    func everybodyInScope() -> String { "SELECT \(columns) FROM \(rows) WHERE \(inScope)" }

    /// A statement that makes a temporary view of everything that is read of a user, for what it depends on.
    func temporaryView(named view: String) -> String {
        "CREATE TEMPORARY VIEW \(view) AS SELECT \(columns) FROM \(rows)"
    }

    /// The names of the columns of `row(ofKey:)`.
    var rowColumnNames: [String] {
        ["source_reference", "in_scope"] + mapping.orderedFields.indices.map { "field_\($0)" } + ["has_profile"]
    }

    /// The same, qualified.
    func rowColumns(of alias: String) -> String {
        rowColumnNames.map { "\(alias).\($0)" }.joined(separator: ", ")
    }
}
