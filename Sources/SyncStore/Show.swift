import Postgres
import SyncCore

/// The public columns of one row of `subscriber_sync.subscriber`.
public struct SubscriberRow: Sendable {
    public let userKey: String
    public let reference: String?
    public let subscriberID: String?
    public let status: String
    public let attempts: Int
    public let changedAt: String?
    public let dueAt: String?
    /// Seconds until `dueAt` by the database's clock; negative once it has passed.
    public let dueInSeconds: Double?
    public let lastAttemptAt: String?
    public let syncedAt: String?
    public let lastError: String?
    public let lastErrorCode: String?
}

extension Store {
    /// What is known of one user; `nil` where nothing is yet.
    public func row(of user: UserKey) async throws(StoreError) -> SubscriberRow? {
        try await query(Store.row, [.text(user.text)]).first
    }

    static let row = Statement<SubscriberRow>(
        "show",
        """
        SELECT s.user_key, s.reference, s.subscriber_id::text, s.status, s.attempts, s.changed_at::text, s.due_at::text,
            extract(epoch FROM s.due_at - now())::double precision, s.last_attempt_at::text, s.synced_at::text,
            s.last_error, s.last_error_code
        FROM subscriber_sync.subscriber s WHERE s.user_key = $1::text
        """
    ) { row throws(PostgresError) in
        SubscriberRow(
            userKey: try row.text(0), reference: try row.optionalText(1), subscriberID: try row.optionalText(2),
            status: try row.text(3), attempts: try row.integer(4), changedAt: try row.optionalText(5),
            dueAt: try row.optionalText(6), dueInSeconds: try row.optionalDouble(7),
            lastAttemptAt: try row.optionalText(8), syncedAt: try row.optionalText(9),
            lastError: try row.optionalText(10), lastErrorCode: try row.optionalText(11))
    }
}
