import Postgres
import SyncCore

extension Store {
    /// One user as a claim would find them, without claiming; `nil` where neither the source nor the state has one.
    public func look(at user: UserKey) async throws(StoreError) -> Claim? {
        do {
            return try await session.query(statements.look, [.text(user.text)]).first
        } catch {
            // A key that isn't of the column's type names nobody.
            if error.sqlState?.hasPrefix("22") == true { return nil }
            throw StoreError(error)
        }
    }

    /// Users of the source as claims would find them, in the order of the source's key.
    ///
    /// - Parameters:
    ///   - key: the page begins behind it; `nil`: at the beginning.
    ///   - filter: a condition on the source's columns besides the scope; `nil`: none.
    public func page(after key: UserKey?, limit: Int, filter: String?) async throws(StoreError) -> [Claim] {
        let statement = filter == nil ? statements.page : LookSQL.page(source, decoder, filter: filter)
        return try await query(statement, [.optionalText(key?.text), .bigint(Int64(limit))])
    }

    private var decoder: ClaimDecoder { ClaimDecoder(fields: source.mapping.orderedFields) }
}

/// Reading users without taking them.
enum LookSQL {
    static func one(_ source: SourceTable, _ decoder: ClaimDecoder) -> Statement<Claim> {
        Statement(
            "look",
            """
            SELECT \(state("$1::text")), \(source.rowColumns(of: "src"))
            FROM (SELECT) AS nothing
            LEFT JOIN subscriber_sync.subscriber s ON s.user_key = $1::text
            LEFT JOIN LATERAL (
                \(source.row(ofKey: "$1::text"))
            ) AS src ON true
            WHERE s.user_key IS NOT NULL OR src.in_scope IS NOT NULL
            """
        ) { row throws(PostgresError) in try decoder.claim(row, from: 0) }
    }

    static func page(_ source: SourceTable, _ decoder: ClaimDecoder, filter: String?) -> Statement<Claim> {
        let key = source.keyColumn
        let condition = "($1::text IS NULL OR \(key) > $1::text::\(source.keyType)) AND (\(filter ?? "true"))"
        return Statement(
            "page",
            """
            SELECT \(state("page.user_key")), \(source.rowColumns(of: "page"))
            FROM (
                \(source.page(where: condition, order: key, limit: "$2::bigint"))
            ) AS page
            LEFT JOIN LATERAL (
                SELECT * FROM subscriber_sync.subscriber u WHERE u.user_key = page.user_key LIMIT 1
            ) AS s ON true
            ORDER BY page.source_key
            """
        ) { row throws(PostgresError) in try decoder.claim(row, from: 0) }
    }

    /// The columns of a claim, with what a user has who isn't known yet.
    private static func state(_ key: String) -> String {
        """
        \(key), s.lease, coalesce(s.wanted, 0), coalesce(s.attempts, 0) + 1, coalesce(s.standing, 'unsynced'),
            s.reference, s.admitted_at IS NOT NULL, s.subscriber_id::text, s.doubted_until IS NOT NULL,
            ARRAY(SELECT t.key FROM jsonb_each_text(s.told) t), ARRAY(SELECT t.value FROM jsonb_each_text(s.told) t),
            coalesce(s.priority, 0) = 1
        """
    }
}
