import Postgres
import SyncCore

extension Store {
    /// How many users one statement appends at most for a changed row of a related table.
    public static let relatedLimit = 2000
    /// How many such rows are made users of at once, where few refer to each.
    public static let relatedRows = 100

    /// Makes users of changed rows of related tables: appends those who refer to them to `change`.
    ///
    /// A row with more users than `limit` is taken again, from behind the last of them. Progress and users are
    /// written in one statement, so a crash loses and repeats nothing.
    ///
    /// - Returns: 0 where nothing waits; otherwise how many users were appended, and one for each row taken.
    public func expandRelated(limit: Int = relatedLimit) async throws(StoreError) -> Int {
        guard let statement = statements.expandRelated else { return 0 }
        var total = 0
        for _ in 0..<Store.relatedRows where total < limit {
            let count = try await query(statement, [.bigint(Int64(limit))]).first ?? 0
            guard count > 0 else { break }
            total += count
        }
        return total
    }
}

/// The statement that makes users of changed rows of related tables.
enum RelatedSQL {
    /// Parameter: $1 how many users at most.
    ///
    /// It locks one row of `related_change`, with SKIP LOCKED, and appends otherwise, so it waits for nobody. Two agents
    /// that take a row one after the other within the second's snapshot append its users twice, which the fold makes good.
    ///
    /// - Returns: `nil` where no table is related.
    static func statement(for source: SourceTable) -> Statement<Int>? {
        let related = source.mapping.relatedByTable
        guard !related.isEmpty else { return nil }
        let names = related.map { quoteLiteral($0.name) }.joined(separator: ", ")
        return Statement(
            "expand_related",
            """
            WITH taken AS MATERIALIZED (
                SELECT r.ctid AS place, r.relation, r.related_key, r.changed_at, r.reached
                FROM subscriber_sync.related_change r
                WHERE r.relation IN (\(names))
                LIMIT 1 FOR UPDATE SKIP LOCKED
            ),
            users AS MATERIALIZED (
                SELECT DISTINCT source_key FROM (
                    \(related.flatMap { users(of: source, $0.name, $0.entries) }.joined(separator: "\nUNION ALL "))
                ) AS found
                ORDER BY source_key LIMIT $1::bigint
            ),
            appended AS (
                INSERT INTO subscriber_sync.change (user_key, changed_at)
                SELECT u.source_key::text, t.changed_at FROM users u CROSS JOIN taken t
                RETURNING 1
            ),
            advanced AS (
                UPDATE subscriber_sync.related_change
                SET reached = (SELECT u.source_key::text FROM users u ORDER BY u.source_key DESC LIMIT 1)
                WHERE ctid = ANY (ARRAY(SELECT t.place FROM taken t)) AND (SELECT count(*) FROM users) >= $1::bigint
            ),
            ended AS (
                DELETE FROM subscriber_sync.related_change
                WHERE ctid = ANY (ARRAY(SELECT t.place FROM taken t)) AND (SELECT count(*) FROM users) < $1::bigint
            )
            SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM appended)
            """
        ) { row throws(PostgresError) in try row.integer(0) }
    }

    /// The users who refer to the taken row, one query for each column that does, each in the order of the key.
    ///
    /// The row's key is compared as its own type, which always reads it; the column's index serves that too.
    private static func users(of source: SourceTable, _ name: String, _ entries: [RelatedTable]) -> [String] {
        Set(entries.map(\.users)).sorted().map { column in
            let type = source.relatedTypes[name] ?? "text"
            return """
                (SELECT page.source_key FROM taken t CROSS JOIN LATERAL (
                        SELECT \(source.keyColumn) AS source_key FROM \(source.name.quoted)
                        WHERE \(source.name.quoted).\(quoteIdentifier(column)) = t.related_key::\(type)
                            AND (t.reached IS NULL OR \(source.isBehind(key: "t.reached")))
                        ORDER BY \(source.keyColumn) LIMIT $1::bigint
                    ) AS page
                    WHERE t.relation = \(quoteLiteral(name)))
                """
        }
    }
}
