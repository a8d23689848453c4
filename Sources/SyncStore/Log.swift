import Postgres
import SyncCore

/// One row of `subscriber_sync.log`.
public struct LogRow: Sendable {
    public let id: Int64
    public let at: String
    public let userKey: String?
    public let reference: String?
    public let subscriberID: String?
    public let outcome: String
    public let httpStatus: Int?
    public let errorCode: String?
    public let error: String?
    public let changedFields: [String]
    public let durationMilliseconds: Int?
    public let agent: String?
    public let requestID: String?
}

/// Reads the log table, which needs no mapping.
public enum SyncLog {
    /// The newest rows, oldest of them first.
    ///
    /// - Parameters:
    ///   - user: only this user's; `nil`: everybody's.
    ///   - id: only rows behind it; `nil`: all.
    public static func read(
        user: UserKey?, after id: Int64?, limit: Int, in session: Session
    ) async throws(StoreError) -> [LogRow] {
        do {
            let parameters: [Parameter] = [.optionalText(user?.text), .optionalBigint(id), .bigint(Int64(limit))]
            return try await session.query(id == nil ? newest : following, parameters)
        } catch {
            throw StoreError(error)
        }
    }

    private static let columns = """
        l.id, l.at::text, l.user_key, l.reference, l.subscriber_id::text, l.outcome, l.http_status, l.error_code, l.error,
            l.changed_fields, l.duration_ms, l.agent, l.request_id
        """

    static let newest = Statement<LogRow>(
        "log_newest",
        """
        SELECT * FROM (
            SELECT \(columns) FROM subscriber_sync.log l
            WHERE ($1::text IS NULL OR l.user_key = $1::text) AND ($2::bigint IS NULL OR l.id > $2::bigint)
            ORDER BY l.id DESC LIMIT $3::bigint
        ) AS newest ORDER BY 1
        """, decode: decode)

    static let following = Statement<LogRow>(
        "log_following",
        """
        SELECT \(columns) FROM subscriber_sync.log l
        WHERE l.id > $2::bigint AND ($1::text IS NULL OR l.user_key = $1::text)
        ORDER BY l.id LIMIT $3::bigint
        """, decode: decode)

    @Sendable private static func decode(_ row: borrowing RowReader) throws(PostgresError) -> LogRow {
        LogRow(
            id: try row.bigint(0), at: try row.text(1), userKey: try row.optionalText(2),
            reference: try row.optionalText(3), subscriberID: try row.optionalText(4), outcome: try row.text(5),
            httpStatus: try row.optionalBigint(6).map { Int($0) }, errorCode: try row.optionalText(7),
            error: try row.optionalText(8),
            changedFields: try row.optionalTextArray(9)?.compactMap { $0 } ?? [],
            durationMilliseconds: try row.optionalBigint(10).map { Int($0) }, agent: try row.optionalText(11),
            requestID: try row.optionalText(12))
    }
}
