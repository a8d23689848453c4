import Postgres
import SyncCore

/// A reference that was a user's before, and its subscriber.
public struct FormerPair: Sendable, Hashable {
    public let reference: String
    /// `nil` where no call was ever answered.
    public let subscriberID: String?
    /// From when until when it was this user's.
    public let since: String
    public let until: String

    public init(reference: String, subscriberID: String?, since: String, until: String) {
        self.reference = reference
        self.subscriberID = subscriberID
        self.since = since
        self.until = until
    }
}

extension Store {
    /// The pairs that a user has left, the last one first.
    public func formerPairs(of user: UserKey) async throws(StoreError) -> [FormerPair] {
        try await query(Store.formerPairs, [.text(user.text)])
    }

    static let formerPairs = Statement<FormerPair>(
        "former_pairs",
        """
        SELECT p.reference, p.subscriber_id::text, p.since::text, p.until::text FROM subscriber_sync.pair p
        WHERE p.user_key = $1::text ORDER BY p.until DESC, p.reference
        """
    ) { row throws(PostgresError) in
        FormerPair(
            reference: try row.text(0), subscriberID: try row.optionalText(1), since: try row.text(2),
            until: try row.text(3))
    }

    /// Takes the references that the rows of users have now, each in place of the one SignalWire knows, and marks the users
    /// due. Should a row have another one by the time it is claimed, that is held as before.
    ///
    /// - Returns: those it was done for: whom nobody knows has nothing to accept.
    public func acceptReferences(
        _ users: [(user: UserKey, reference: Reference)]
    ) async throws(StoreError) -> Set<UserKey> {
        let keys = try await query(
            Store.acceptReferences,
            [.textArray(users.map(\.user.text)), .textArray(users.map(\.reference.text)), .text(agent)])
        return Set(keys.map(UserKey.init))
    }

    /// Rows are locked in the order of their keys.
    static let acceptReferences = Statement<String>(
        "accept_references",
        """
        WITH locked AS MATERIALIZED (
            SELECT s.user_key FROM subscriber_sync.subscriber s WHERE s.user_key = ANY ($1::text[])
            ORDER BY s.user_key FOR UPDATE
        ),
        asked AS MATERIALIZED (
            SELECT a.user_key COLLATE "C" AS user_key, a.reference FROM unnest($1::text[], $2::text[]) AS a(user_key, reference)
            WHERE a.user_key IN (SELECT l.user_key FROM locked l)
        ),
        accepted AS (
            UPDATE subscriber_sync.subscriber s SET
                accepted_reference = a.reference,
                wanted = s.wanted + 1,
                priority = CASE WHEN s.due_at IS NOT NULL AND s.priority = 0 THEN 0 ELSE 1 END,
                due_at = CASE WHEN s.lease IS NOT NULL AND s.due_at > now() THEN s.due_at ELSE least(s.due_at, now()) END
            FROM asked a WHERE s.user_key = a.user_key
            RETURNING s.user_key, s.accepted_reference
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (user_key, reference, outcome, agent)
            SELECT a.user_key, a.accepted_reference, 'reference_accepted', $3::text FROM accepted a
        )
        SELECT a.user_key FROM accepted a
        """
    ) { row throws(PostgresError) in try row.text(0) }
}
