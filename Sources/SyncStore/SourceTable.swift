import Postgres
import SyncCore

/// The source table as the database knows it: the mapping, checked, with what the queries need to know.
public struct SourceTable: Sendable {
    public let mapping: SourceMapping
    /// The table with the schema it was found in.
    public let name: QualifiedName
    /// The key's type, to compare by the key's own index.
    let keyType: KeyType

    /// Looks the table up, and checks that the mapping fits it; needs nothing of ours in the database.
    public static func find(_ mapping: SourceMapping, in session: Session) async throws(StoreError) -> SourceTable {
        try await SourceInspection.inspect(mapping, in: session)
    }

    /// The columns of one user as a subquery that can stand behind LATERAL.
    ///
    /// Its columns: the reference, whether the user is in scope, and each mapped field, all but the
    /// scope as text. Own scope, so that no name of the outer query can be taken for a column here.
    ///
    /// - Parameter key: an SQL expression of type text.
    func row(ofKey key: String) -> String {
        """
        SELECT \(quoteIdentifier(mapping.reference))::text AS source_reference,
            \(inScope) AS in_scope\(fieldColumns)
        FROM \(name.quoted)
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
        (alias.map { $0 + "." } ?? "") + quoteIdentifier(mapping.key)
    }

    /// Whether a row is in scope; never NULL.
    private var inScope: String { "\(bracketed(mapping.scope ?? "true")) IS TRUE" }

    /// A page of users in the order of the key, as a subquery: the columns of `row(ofKey:)`, the key as
    /// `source_key`, and as text in `user_key`.
    ///
    /// - Parameters:
    ///   - condition: which rows, as SQL over the table's columns.
    ///   - order: SQL for ORDER BY.
    ///   - limit: an SQL expression.
    ///   - extra: further columns, each with a comma in front.
    func page(where condition: String, order: String, limit: String, also extra: String = "") -> String {
        let key = quoteIdentifier(mapping.key)
        return """
            SELECT \(key) AS source_key, \(key)::text COLLATE "C" AS user_key,
                \(quoteIdentifier(mapping.reference))::text AS source_reference,
                \(inScope) AS in_scope\(fieldColumns)\(extra)
            FROM \(name.quoted)
            WHERE \(condition)
            ORDER BY \(order) LIMIT \(limit)
            """
    }

    /// `, "title"::text AS field_0, …`
    var fieldColumns: String {
        mapping.orderedFields.enumerated().map { index, field in
            ",\n    \(quoteIdentifier(mapping.fields[field] ?? ""))::text AS field_\(index)"
        }.joined()
    }

    /// The names of the columns of `row(ofKey:)`.
    var rowColumnNames: [String] {
        ["source_reference", "in_scope"] + mapping.orderedFields.indices.map { "field_\($0)" }
    }

    /// The same, qualified.
    func rowColumns(of alias: String) -> String {
        rowColumnNames.map { "\(alias).\($0)" }.joined(separator: ", ")
    }
}
