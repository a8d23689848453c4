import Postgres

/// The type of the key column, as queries compare by it.
///
/// A user's key stands as text in our tables. So the type must have one text for each value, whatever the session's
/// settings are, and the text of a value that a user writes is found by what the type calls equal: `01` is 1, and a
/// uuid in capitals is the one in small letters.
public struct KeyType: Sendable, Hashable {
    /// The type under any domain, without length, as SQL spells it: a cast to it cuts nothing off, so no key is
    /// taken for another one that begins like it.
    let name: String
    /// The schema of its comparison operators, quoted. Those of citext are where its extension is, and the
    /// search path doesn't lead there.
    let operators: String
    /// The column's collation where it isn't the database's, quoted: by it the column's index is ordered.
    let collation: String?

    /// A text as a value of the type.
    func value(of text: String) -> String {
        "(\(text))::\(name)" + (collation.map { " COLLATE \($0)" } ?? "")
    }

    func `operator`(_ symbol: String) -> String { "OPERATOR(\(operators).\(symbol))" }

    /// Finds the type of a column, if it can be a key.
    ///
    /// - Throws: `mismatch` where it can't.
    static func find(
        _ column: String, of table: QualifiedName, oid: Int64, in session: Session
    ) async throws -> KeyType {
        guard let found = try await session.query(findType, [.bigint(oid), .text(column)]).first else {
            throw StoreError(.mismatch, "\(table) has no column \(column).")
        }
        guard found.isFit else {
            throw StoreError(
                .mismatch,
                "The key \(column) of \(table) is of type \(found.shown), whose text depends on the settings of a "
                    + "session or differs for equal values.",
                hint: "In source.key, name a column of type smallint, integer, bigint, uuid, text, varchar, citext, "
                    + "numeric(n, 0), of an enum, or of a domain over one of these.")
        }
        return found.type
    }
}

extension KeyType {
    /// A type as the catalogue has it, under the domains that lead to it.
    struct Found: Sendable {
        let type: KeyType
        /// With length and precision.
        let shown: String
        /// Whether it has one text for each value.
        let isFit: Bool
    }

    /// The type of column $2 of relation $1. In the modifier of a numeric, the lower eleven bits of what is above 4
    /// are its scale.
    static let findType = Statement<Found>(
        "find_key_type",
        """
        WITH RECURSIVE layer AS (
            SELECT t.oid, t.typname, t.typtype, t.typbasetype, t.typtypmod, a.atttypmod AS modifier, a.attcollation
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            WHERE a.attrelid = $1::bigint::oid AND a.attname = $2::text AND NOT a.attisdropped
            UNION ALL
            SELECT t.oid, t.typname, t.typtype, t.typbasetype, t.typtypmod, l.typtypmod, l.attcollation
            FROM layer l JOIN pg_catalog.pg_type t ON t.oid = l.typbasetype WHERE l.typtype = 'd'
        )
        SELECT format_type(l.oid, NULL), format_type(l.oid, l.modifier),
            l.typtype = 'e' OR l.typname = 'citext'
                OR l.oid = ANY ('{smallint,integer,bigint,uuid,text,varchar}'::regtype[]::oid[])
                OR l.oid = 'numeric'::regtype AND l.modifier >= 4 AND (l.modifier - 4) & 2047 = 0,
            coalesce((
                SELECT quote_ident(n.nspname)
                FROM pg_catalog.pg_opclass c
                JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
                JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype
                    AND p.amoprighttype = c.opcintype AND p.amopstrategy = 3
                JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
                JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                WHERE c.opcintype = l.oid AND c.opcdefault), 'pg_catalog'),
            (
                SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname)
                FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
                WHERE c.oid = l.attcollation AND c.collname <> 'default')
        FROM layer l WHERE l.typtype <> 'd'
        """
    ) { row throws(PostgresError) in
        Found(
            type: KeyType(
                name: try row.text(0), operators: try row.text(3), collation: try row.optionalText(4)),
            shown: try row.text(1), isFit: try row.boolean(2))
    }
}
