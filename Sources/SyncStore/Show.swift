import Postgres
import SyncCore

/// The public columns of one row of `subscriber_sync.subscriber`.
public struct SubscriberRow: Sendable {
    public let userKey: String
    public let reference: String?
    /// Since when the reference is this user's; `nil` where it isn't, or nobody knows.
    public let referenceSince: String?
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

/// What keeps all agents from pushing just now, if anything does.
public struct FleetStandstill: Sendable {
    public let pause: FleetStatus.Pause?
    /// Seconds until one user is tried during an account pause; negative once that is due.
    public let probeInSeconds: Double?
    /// When SignalWire allows calls again, if it asked for silence.
    public let throttledUntil: String?
    public let throttledForSeconds: Double?
}

extension Store {
    /// Whether anybody may push.
    public func standstill() async throws(StoreError) -> FleetStandstill? { try await query(Store.standstill).first }

    static let standstill = Statement<FleetStandstill>(
        "standstill",
        """
        SELECT c.pause_kind, c.pause_reason, c.paused_at::text,
            CASE WHEN c.pause_kind = 'account' THEN c.probe_at::text END,
            CASE WHEN c.pause_kind = 'account' THEN extract(epoch FROM c.probe_at - now())::double precision END,
            CASE WHEN c.throttled_until > now() THEN c.throttled_until::text END,
            CASE WHEN c.throttled_until > now() THEN extract(epoch FROM c.throttled_until - now())::double precision END
        FROM subscriber_sync.control c
        """
    ) { row throws(PostgresError) in
        var pause: FleetStatus.Pause?
        if let kind = try row.optionalText(0) {
            pause = FleetStatus.Pause(
                kind: kind, reason: try row.optionalText(1), since: try row.optionalText(2),
                nextProbe: try row.optionalText(3))
        }
        return FleetStandstill(
            pause: pause, probeInSeconds: try row.optionalDouble(4), throttledUntil: try row.optionalText(5),
            throttledForSeconds: try row.optionalDouble(6))
    }

    /// What is known of one user; `nil` where nothing is yet.
    public func row(of user: UserKey) async throws(StoreError) -> SubscriberRow? {
        try await query(Store.row, [.text(user.text)]).first
    }

    static let row = Statement<SubscriberRow>(
        "show",
        """
        SELECT s.user_key, s.reference, s.subscriber_id::text, s.status, s.attempts, s.changed_at::text, s.due_at::text,
            extract(epoch FROM s.due_at - now())::double precision, s.last_attempt_at::text, s.synced_at::text,
            s.last_error, s.last_error_code, s.reference_since::text
        FROM subscriber_sync.subscriber s WHERE s.user_key = $1::text
        """
    ) { row throws(PostgresError) in
        SubscriberRow(
            userKey: try row.text(0), reference: try row.optionalText(1), referenceSince: try row.optionalText(12),
            subscriberID: try row.optionalText(2),
            status: try row.text(3), attempts: try row.integer(4), changedAt: try row.optionalText(5),
            dueAt: try row.optionalText(6), dueInSeconds: try row.optionalDouble(7),
            lastAttemptAt: try row.optionalText(8), syncedAt: try row.optionalText(9),
            lastError: try row.optionalText(10), lastErrorCode: try row.optionalText(11))
    }
}
