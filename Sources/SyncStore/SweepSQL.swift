import Postgres
import SyncCore

/// The statements of sweeps that depend on the mapping.
///
/// A page is one short statement: no snapshot outlives it, so VACUUM waits for a page at most. It locks rows of
/// `subscriber` only to write down who is new, in the order of their keys, and appends to `change` otherwise.
///
/// **Why a difference is a change that nobody told.** A trigger's row in `change` commits with the row that it
/// tells of; folding it makes the user due, and a claim reads the row in the same statement. So in one snapshot a
/// user whose row differs from the fingerprint has a row in `change`, or is due, or was changed unseen.
enum SweepSQL {
    /// What one page came to.
    struct Page: Sendable {
        let compared: Int
        let found: Int
        let lastKey: String?
        /// For a recent sweep: the `source.updated_at` of the last row.
        let lastUpdatedAt: String?
    }

    /// Parameters: $1 the key before the page, $2 how many rows, $3 whether unknown users are to be written down
    /// as there before us.
    static func sourcePage(_ source: SourceTable) -> Statement<Page> {
        let key = source.keyColumn
        let condition = "($1::text IS NULL OR \(source.isBehind(key: "$1::text")))"
        return page("sweep_source", source, source.page(where: condition, order: key, limit: "$2::bigint"), "NULL")
    }

    /// Parameters as before, $1 with $4, the last row's `source.updated_at`; $5: not older than this.
    static func recentPage(_ source: SourceTable, updatedAt: String) -> Statement<Page> {
        let (key, column) = (source.keyColumn, "\(source.name.quoted).\(quoteIdentifier(updatedAt))")
        let condition = """
            \(column) >= $5::text::timestamptz
                AND ($1::text IS NULL OR \(column) >= $4::text::timestamptz
                    AND (\(column) > $4::text::timestamptz OR \(source.isBehind(key: "$1::text"))))
            """
        let rows = source.page(
            where: condition, order: "\(column), \(key)", limit: "$2::bigint", also: ", \(column)::text AS updated_at")
        return page(
            "sweep_recent", source, rows, "(SELECT p.updated_at FROM page p ORDER BY p.number DESC LIMIT 1)")
    }

    private static func page(
        _ name: String, _ source: SourceTable, _ rows: String, _ lastUpdatedAt: String
    ) -> Statement<Page> {
        Statement(
            name,
            """
            WITH read AS MATERIALIZED (
                \(rows)
            ),
            page AS MATERIALIZED (
                SELECT r.*, row_number() OVER () AS number, \(source.fingerprint(of: "r", key: "r.user_key")) AS fingerprint
                FROM read r
            ),
            judged AS MATERIALIZED (
                SELECT p.user_key, p.in_scope, p.fingerprint, s.wanted, \(verdict(source)) AS verdict
                FROM page p LEFT JOIN LATERAL (
                    SELECT * FROM subscriber_sync.subscriber u WHERE u.user_key = p.user_key LIMIT 1
                ) AS s ON true
                WHERE p.user_key IS NOT NULL
            ),
            appended AS (
                INSERT INTO subscriber_sync.change (user_key)
                SELECT j.user_key FROM judged j
                WHERE j.verdict = 'differs'
                    AND NOT EXISTS (SELECT FROM subscriber_sync.change c WHERE c.user_key = j.user_key)
                RETURNING 1
            ),
            recorded AS (
                INSERT INTO subscriber_sync.subscriber AS s (user_key, standing, fingerprint, wanted)
                SELECT j.user_key, CASE WHEN j.in_scope THEN 'unsynced' ELSE 'out_of_scope' END, j.fingerprint,
                    coalesce(j.wanted, 0)
                FROM judged j WHERE j.verdict = 'record'
                ORDER BY j.user_key COLLATE "C"
                ON CONFLICT (user_key) DO UPDATE SET
                    fingerprint = excluded.fingerprint,
                    standing = CASE WHEN s.standing IN ('unsynced', 'out_of_scope') THEN excluded.standing
                        ELSE s.standing END
                -- Whoever was claimed meanwhile has been read since.
                WHERE s.wanted = excluded.wanted AND s.due_at IS NULL
            )
            SELECT (SELECT count(*) FROM page), (SELECT count(*) FROM appended),
                (SELECT p.user_key FROM page p ORDER BY p.number DESC LIMIT 1), \(lastUpdatedAt)
            """, decode: decode)
    }

    /// What a row means, beside the row `s` that is known of the user.
    private static func verdict(_ source: SourceTable) -> String {
        """
        CASE
                    WHEN s.user_key IS NULL THEN CASE WHEN $3::boolean THEN 'record' ELSE 'differs' END
                    -- Waits to be read anyway.
                    WHEN s.due_at IS NOT NULL AND s.lease IS NULL THEN 'same'
                    WHEN s.fingerprint = p.fingerprint THEN 'same'
                    WHEN s.standing = 'deleted' OR substr(s.fingerprint, 1, 4) = \(source.mappingMark) THEN 'differs'
                    WHEN s.fingerprint IS NULL AND s.admitted_at IS NOT NULL THEN 'differs'
                    -- Read under another mapping, so nobody can say whether the row changed. Whoever waits for this
                    -- mapping is looked at, and who leaves its scope, for whom nothing is sent. Changing a setting
                    -- pushes nobody else: that is for a resync.
                    WHEN s.standing IN ('rejected', 'held') AND coalesce(s.last_error_code, '') NOT IN (
                        'mass_change', 'mass_change_rejected', 'new_subscriber_limit', 'new_subscriber_limit_rejected')
                        THEN 'differs'
                    WHEN s.admitted_at IS NOT NULL AND NOT p.in_scope AND s.standing <> 'out_of_scope' THEN 'differs'
                    ELSE 'record'
                END
        """
    }

    /// Whoever is known and has no row any more. Parameters: $1 the key before the page, $2 how many.
    static func knownPage(_ source: SourceTable) -> Statement<Page> {
        Statement(
            "sweep_known",
            """
            WITH page AS MATERIALIZED (
                SELECT s.user_key, s.standing, s.due_at, s.lease FROM subscriber_sync.subscriber s
                WHERE ($1::text IS NULL OR s.user_key > $1::text)
                ORDER BY s.user_key LIMIT $2::bigint
            ),
            -- First who is gone, for then what waits is looked through only where somebody is.
            gone AS MATERIALIZED (
                SELECT p.user_key FROM page p LEFT JOIN LATERAL (
                    SELECT true AS is_there FROM \(source.name.quoted) AS src
                    WHERE \(source.isRow(ofKey: "p.user_key", in: "src")) LIMIT 1
                ) AS found ON true
                WHERE found.is_there IS NULL AND p.standing <> 'deleted' AND (p.due_at IS NULL OR p.lease IS NOT NULL)
            ),
            appended AS (
                INSERT INTO subscriber_sync.change (user_key)
                SELECT g.user_key FROM gone g
                WHERE NOT EXISTS (SELECT FROM subscriber_sync.change c WHERE c.user_key = g.user_key)
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM page), (SELECT count(*) FROM appended),
                (SELECT max(p.user_key COLLATE "C") FROM page p), NULL
            """, decode: decode)
    }

    @Sendable private static func decode(_ row: borrowing RowReader) throws(PostgresError) -> Page {
        Page(
            compared: try row.integer(0), found: try row.integer(1), lastKey: try row.optionalText(2),
            lastUpdatedAt: try row.optionalText(3))
    }
}
