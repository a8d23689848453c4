import Postgres
import SyncCore

extension Store {
    /// Folds changes into users without reading the source, which can't be read just now: so that what waits is
    /// bounded by the number of users, however long that lasts.
    ///
    /// - Returns: how many changes were folded.
    public func fold() async throws(StoreError) -> Int {
        try await query(Store.fold, [.bigint(Int64(Store.foldPage))]).first ?? 0
    }

    /// How many that are at most: more than a claim folds, since nobody waits for the first of them.
    public static let foldPage = 2000

    /// Locks users in the order of their keys, as the claim does.
    static let fold = Statement<Int>(
        "fold",
        """
        WITH taken AS (
            DELETE FROM subscriber_sync.change WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM subscriber_sync.change WHERE user_key IS NOT NULL
                LIMIT $1::bigint FOR UPDATE SKIP LOCKED))
            RETURNING user_key, changed_at
        ),
        folded AS (
            INSERT INTO subscriber_sync.subscriber AS s (user_key, changed_at, due_at)
            SELECT t.user_key, max(t.changed_at), now() FROM taken t GROUP BY t.user_key ORDER BY t.user_key
            ON CONFLICT (user_key) DO UPDATE SET
                wanted = s.wanted + 1,
                priority = 0,
                changed_at = greatest(s.changed_at, excluded.changed_at),
                due_at = CASE WHEN s.lease IS NOT NULL THEN s.due_at ELSE least(s.due_at, now()) END
        )
        SELECT count(*) FROM taken
        """
    ) { row throws(PostgresError) in try row.integer(0) }

    /// Takes changes out that name no user, because the key column wasn't there under its name, and asks for a
    /// sweep in their place.
    ///
    /// - Returns: how many there were.
    public func replaceNamelessChanges() async throws(StoreError) -> Int {
        try await query(Store.replaceNamelessChanges).first ?? 0
    }

    static let replaceNamelessChanges = Statement<Int>(
        "replace_nameless_changes",
        """
        WITH gone AS (
            DELETE FROM subscriber_sync.change WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM subscriber_sync.change WHERE user_key IS NULL LIMIT 10000 FOR UPDATE SKIP LOCKED))
            RETURNING 1
        ),
        asked AS (
            INSERT INTO subscriber_sync.sweep_request (reason) SELECT 'changes_without_key' FROM gone LIMIT 1
        )
        SELECT count(*) FROM gone
        """
    ) { row throws(PostgresError) in try row.integer(0) }
}
