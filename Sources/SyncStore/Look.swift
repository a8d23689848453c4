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
        do {
            return try await session.query(statement, [.optionalText(key?.text), .bigint(Int64(limit))])
        } catch {
            let failure = StoreError(error)
            guard filter != nil, failure.mayBeSource else { throw failure }
            throw StoreError(
                .mismatch, "the condition can't be evaluated for every user of \(source.name): \(error.reason)",
                hint: "Make it hold, or not, for any row: a division by zero or a wrong cast in one ends it for all.")
        }
    }

    /// Refuses a text that isn't one condition on the source's columns.
    ///
    /// - Parameter name: what the user calls it.
    public func check(filter: String, named name: String) async throws(StoreError) {
        let misfit: StoreError?
        do {
            misfit = try await ConditionCheck.misfit(of: filter, named: name, on: source.name, in: session)
        } catch {
            throw StoreError(error)
        }
        if let misfit { throw misfit }
    }

    /// A user's key as the database prints it, however somebody wrote it: `01` is `1`, and a uuid in capitals the one
    /// in small letters. The text of the source's row where there is one, since citext has several for one key.
    ///
    /// - Returns: `nil` where the text isn't of the key's type, or neither the source nor the state has such a user.
    public func canonicalKey(of text: String) async throws(StoreError) -> UserKey? {
        do {
            return try await session.query(statements.canonicalKey, [.text(text)]).first.map(UserKey.init)
        } catch {
            if error.sqlState?.hasPrefix("22") == true { return nil }
            throw StoreError(error)
        }
    }

    private var decoder: ClaimDecoder { ClaimDecoder(source.mapping) }
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

    static func canonicalKey(_ source: SourceTable) -> Statement<String> {
        Statement(
            "canonical_key",
            """
            SELECT coalesce(src.user_key, asked.user_key)
            FROM (SELECT (\(source.keyType.value(of: "$1::text")))::text COLLATE "C" AS user_key) AS asked
            LEFT JOIN LATERAL (
                SELECT \(quoteIdentifier(source.mapping.key))::text COLLATE "C" AS user_key FROM \(source.name.quoted)
                WHERE \(source.equalsKey("$1::text"))
                LIMIT 1
            ) AS src ON true
            WHERE src.user_key IS NOT NULL
                OR EXISTS (SELECT FROM subscriber_sync.subscriber s WHERE s.user_key = asked.user_key)
            """
        ) { row throws(PostgresError) in try row.text(0) }
    }

    static func page(_ source: SourceTable, _ decoder: ClaimDecoder, filter: String?) -> Statement<Claim> {
        let key = source.keyColumn
        let condition = "($1::text IS NULL OR \(source.isBehind(key: "$1::text"))) AND \(bracketed(filter ?? "true"))"
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
    static func state(_ key: String) -> String {
        """
        \(key), s.lease, coalesce(s.wanted, 0), coalesce(s.attempts, 0) + 1, coalesce(s.standing, 'unsynced'),
            s.reference, s.admitted_at IS NOT NULL, s.subscriber_id::text, s.doubted_until IS NOT NULL,
            ARRAY(SELECT t.key FROM jsonb_each_text(s.told) t), ARRAY(SELECT t.value FROM jsonb_each_text(s.told) t),
            coalesce(s.priority, 0) = 1, \(ClaimDecoder.earlier(of: key)), s.accepted_reference
        """
    }
}
