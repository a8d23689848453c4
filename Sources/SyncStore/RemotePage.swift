import Postgres
import SyncCore

/// A user as a comparison with SignalWire's list finds them, without taking them.
public struct ComparedUser: Sendable {
    public let claim: Claim
    /// Of the row that was compared, in hexadecimal; `nil` where the source has none.
    let fingerprint: String?
    /// Due, in hand, changed, or called since the list was begun: what the list shows of them is, or will soon be, old.
    public let isMoving: Bool
    /// Admitted so recently that the list may not show the subscriber yet.
    public let isYoung: Bool
}

extension Store {
    /// Users of the source in the order of its key, to be compared with a list that was read since a moment.
    ///
    /// - Parameters:
    ///   - key: the page begins behind it; `nil`: at the beginning.
    ///   - start: what `clock` said before the list was read.
    public func comparedPage(
        after key: UserKey?, limit: Int, since start: String
    ) async throws(StoreError) -> [ComparedUser] {
        try await query(
            RemotePageSQL.page(source), [.optionalText(key?.text), .bigint(Int64(limit)), .text(start)])
    }
}

/// The page of users for comparisons: a claim of each, and what tells whether the comparison holds.
enum RemotePageSQL {
    /// Parameters: $1 the key before the page, $2 how many rows, $3 when the list was begun.
    static func page(_ source: SourceTable) -> Statement<ComparedUser> {
        let decoder = ClaimDecoder(source.mapping)
        let behind = ClaimDecoder.columnCount + source.rowColumnNames.count
        let condition = "($1::text IS NULL OR \(source.isBehind(key: "$1::text")))"
        return Statement(
            "compared_page",
            """
            SELECT \(LookSQL.state("page.user_key")), \(source.rowColumns(of: "page")),
                encode(\(source.fingerprint(of: "page", key: "page.user_key")), 'hex'),
                -- A call that was begun before the list may have been answered after its page.
                coalesce(s.due_at IS NOT NULL OR greatest(s.last_attempt_at, s.synced_at) >= $3::text::timestamptz, false)
                    OR page.user_key IN (SELECT c.user_key FROM subscriber_sync.change c WHERE c.user_key IS NOT NULL),
                coalesce(s.admitted_at > $3::text::timestamptz - interval '10 minutes', false)
            FROM (
                \(source.page(where: condition, order: source.keyColumn, limit: "$2::bigint"))
            ) AS page
            LEFT JOIN LATERAL (
                SELECT * FROM subscriber_sync.subscriber u WHERE u.user_key = page.user_key LIMIT 1
            ) AS s ON true
            ORDER BY page.source_key
            """
        ) { row throws(PostgresError) in
            ComparedUser(
                claim: try decoder.claim(row, from: 0), fingerprint: try row.optionalText(behind),
                isMoving: try row.boolean(behind + 1), isYoung: try row.boolean(behind + 2))
        }
    }
}
