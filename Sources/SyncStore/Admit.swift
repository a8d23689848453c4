import Postgres
import SyncCore

/// A claimed user whose push may create a subscriber.
public struct AdmissionRequest: Sendable {
    public let user: UserKey
    public let lease: Lease
    public let reference: Reference

    public init(user: UserKey, lease: Lease, reference: Reference) {
        self.user = user
        self.lease = lease
        self.reference = reference
    }
}

extension Store {
    /// Asks whether these users may become subscribers, and writes down those that may, before anything is sent.
    ///
    /// - Parameter limit: new subscribers in 24 hours; `nil`: any number.
    /// - Returns: an answer for each.
    public func admit(_ requests: [AdmissionRequest], limit: Int?) async throws(StoreError) -> [UserKey: Admission] {
        guard !requests.isEmpty else { return [:] }
        let rows = try await query(
            Store.admit,
            [
                .textArray(requests.map(\.user.text)), .bigintArray(requests.map(\.lease.token)),
                .textArray(requests.map(\.reference.text)), .bigint(limit.map(Int64.init) ?? -1),
            ])
        return Dictionary(rows) { first, _ in first }
    }

    /// The limit with what an operator has allowed beyond it; -1 is none.
    private static func limit(_ parameter: String) -> String {
        """
        (CASE WHEN \(parameter)::bigint < 0 THEN -1 ELSE \(parameter)::bigint + coalesce(
            (SELECT c.extra_subscribers FROM subscriber_sync.control c WHERE c.extra_until > now()), 0) END)
        """
    }

    static let admit = Statement<(UserKey, Admission)>(
        "admit",
        """
        SELECT a.user_key, a.verdict
        FROM subscriber_sync.admit($1::text[], $2::bigint[], $3::text[], \(limit("$4"))::integer) AS a
        """
    ) { row throws(PostgresError) in
        (UserKey(try row.text(0)), Admission(rawValue: try row.text(1)) ?? .leaseLost)
    }

    /// Makes users due again whose reason to be held is gone: those of the cost brake, as far as the last 24
    /// hours have room, and those whose reference nobody else has any more.
    ///
    /// - Returns: how many.
    public func releaseHeld(limit: Int?) async throws(StoreError) -> Int {
        try await query(Store.releaseHeld, [.bigint(limit.map(Int64.init) ?? -1)]).first ?? 0
    }

    /// SKIP LOCKED: it never waits. More may be released than there is room for, if two agents do it at
    /// once; `admit` holds the surplus again.
    static let releaseHeld = Statement<Int>(
        "release_held",
        """
        WITH room AS (
            SELECT CASE WHEN $1::bigint < 0 THEN 1000
                ELSE least(1000, greatest(0, \(limit("$1")) - subscriber_sync.admitted_lately())) END AS most
        ),
        limited AS (
            SELECT s.user_key FROM subscriber_sync.subscriber s
            WHERE s.standing = 'held' AND s.last_error_code = 'new_subscriber_limit' AND s.due_at IS NULL
            ORDER BY s.user_key LIMIT (SELECT most FROM room) FOR UPDATE SKIP LOCKED
        ),
        freed AS (
            SELECT s.user_key FROM subscriber_sync.subscriber s
            WHERE s.standing = 'held' AND s.last_error_code = 'duplicate_reference' AND s.due_at IS NULL
                AND NOT EXISTS (
                    SELECT FROM subscriber_sync.subscriber other
                    WHERE lower(btrim(other.reference)) = lower(btrim(s.reference)) AND other.admitted_at IS NOT NULL
                        AND other.user_key <> s.user_key AND other.standing <> 'deleted')
            ORDER BY s.user_key LIMIT 1000 FOR UPDATE SKIP LOCKED
        ),
        released AS (
            UPDATE subscriber_sync.subscriber s SET due_at = now(), wanted = s.wanted + 1
            WHERE s.user_key = ANY (ARRAY(SELECT user_key FROM limited UNION ALL SELECT user_key FROM freed))
            RETURNING 1
        )
        SELECT count(*) FROM released
        """
    ) { row throws(PostgresError) in try row.integer(0) }
}
