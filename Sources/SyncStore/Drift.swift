import Postgres
import SyncCore

extension Store {
    /// Makes users due whose subscribers hold something else than they were told: those fields are no longer known.
    ///
    /// - Parameter drifted: at most `resyncPage` of them, as they were compared, each with the fields that differ.
    /// - Returns: those that were marked. Who changed since the comparison, or is in hand, isn't: an agent looks anyway.
    public func markDrift(
        _ drifted: [(user: ComparedUser, fields: [ProfileField])]
    ) async throws(StoreError) -> [UserKey] {
        guard !drifted.isEmpty else { return [] }
        let keys = try await query(
            Store.markDrift,
            [
                .textArray(drifted.map(\.user.claim.user.text)), .bigintArray(drifted.map(\.user.claim.version)),
                .textArray(drifted.map { ToldColumn.unknown($0.fields) }),
                .textArray(drifted.map { $0.fields.map(\.rawValue).joined(separator: ",") }), .text(agent),
            ])
        return keys.map(UserKey.init)
    }

    /// With SKIP LOCKED, so it waits for nobody. In doubt, so that a user is pushed whose fields are right, too: such
    /// a push brings the id of a subscriber that was made anew.
    static let markDrift = Statement<String>(
        "mark_drift",
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
            AS g(user_key, version, told, fields)
        ),
        locked AS MATERIALIZED (
            SELECT s.user_key FROM subscriber_sync.subscriber s
            WHERE s.user_key = ANY ($1::text[])
            ORDER BY s.user_key FOR UPDATE SKIP LOCKED
        ),
        marked AS (
            UPDATE subscriber_sync.subscriber s SET
                told = s.told || g.told::jsonb,
                doubted_until = greatest(s.doubted_until, now()),
                wanted = s.wanted + 1,
                priority = 1,
                due_at = now()
            FROM given g
            WHERE s.user_key = g.user_key AND s.user_key = ANY (ARRAY(SELECT user_key FROM locked))
                AND s.wanted = g.version AND s.lease IS NULL AND s.due_at IS NULL
            RETURNING s.user_key, s.reference, s.subscriber_id, g.fields
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (user_key, reference, subscriber_id, outcome, changed_fields, agent)
            SELECT m.user_key, m.reference, m.subscriber_id, 'drift_found', string_to_array(m.fields, ','), $5::text
            FROM marked m ORDER BY m.user_key
        )
        SELECT user_key FROM marked
        """
    ) { row throws(PostgresError) in try row.text(0) }

    /// Makes users due whose subscribers are gone, as if nothing had ever been sent for them: a push creates another
    /// one, which is billed, so it has to be admitted like any other. The log keeps the old pair.
    ///
    /// - Parameter missing: at most `resyncPage` of them, as they were compared.
    /// - Returns: those that were marked.
    public func markMissing(_ missing: [ComparedUser]) async throws(StoreError) -> [UserKey] {
        guard !missing.isEmpty else { return [] }
        let keys = try await query(
            Store.markMissing,
            [
                .textArray(missing.map(\.claim.user.text)), .bigintArray(missing.map(\.claim.version)), .text(agent),
            ])
        return keys.map(UserKey.init)
    }

    static let markMissing = Statement<String>(
        "mark_missing",
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::bigint[]) AS g(user_key, version)
        ),
        before AS MATERIALIZED (
            SELECT s.user_key, s.reference, s.subscriber_id FROM subscriber_sync.subscriber s
            WHERE s.user_key = ANY ($1::text[])
            ORDER BY s.user_key FOR UPDATE SKIP LOCKED
        ),
        marked AS (
            UPDATE subscriber_sync.subscriber s SET
                told = '{}',
                subscriber_id = NULL,
                admitted_at = NULL,
                wanted = s.wanted + 1,
                priority = 1,
                due_at = now()
            FROM given g
            WHERE s.user_key = g.user_key AND s.user_key = ANY (ARRAY(SELECT user_key FROM before))
                AND s.wanted = g.version AND s.lease IS NULL AND s.due_at IS NULL
            RETURNING s.user_key
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (user_key, reference, subscriber_id, outcome, agent)
            SELECT b.user_key, b.reference, b.subscriber_id, 'subscriber_missing', $3::text
            FROM before b JOIN marked m ON m.user_key = b.user_key ORDER BY b.user_key
        )
        SELECT user_key FROM marked
        """
    ) { row throws(PostgresError) in try row.text(0) }
}
