import Postgres
import SyncCore

/// What became of an adoption. The raw value is the statement's.
public enum AdoptionVerdict: String, Sendable, CaseIterable {
    case adopted
    /// Another user was admitted with the reference.
    case taken
    /// An agent has the user in hand, or something changed since the comparison: a repetition finds out.
    case later
}

extension Store {
    /// Writes down which subscribers are whose, and pushes nothing.
    ///
    /// The lock of admission comes first, in the same transaction: so no agent admits another user with one of these
    /// references meanwhile. Nobody waits for that lock while holding a row.
    ///
    /// - Parameter adoptions: at most `resyncPage` of them, with the users as they were compared.
    /// - Returns: an answer for each.
    public func adopt(
        _ adoptions: [(user: ComparedUser, adoption: Adoption)]
    ) async throws(StoreError) -> [UserKey: AdoptionVerdict] {
        guard !adoptions.isEmpty else { return [:] }
        let parameters = parameters(of: adoptions)
        do {
            let rows = try await session.transaction { connection throws(PostgresError) in
                _ = try connection.query(Store.lockAdmission, [])
                return try connection.query(Store.adopt, parameters)
            }
            return Dictionary(rows) { first, _ in first }
        } catch {
            throw StoreError(error)
        }
    }

    private func parameters(of adoptions: [(user: ComparedUser, adoption: Adoption)]) -> [Parameter] {
        let each = adoptions.map(\.adoption)
        return [
            .textArray(each.map(\.user.text)), .bigintArray(each.map(\.version)),
            .textArray(each.map(\.reference.text)), .textArray(each.map(\.subscriber.text)),
            .textArray(each.map { ToldColumn.text(of: $0.told) }), .booleanArray(each.map(\.isSame)),
            .textArray(adoptions.map(\.user.fingerprint)), .text(agent),
        ]
    }

    /// The lock that `subscriber_sync.admit` takes.
    static let lockAdmission = Statement<Void>("lock_admission", "SELECT pg_advisory_xact_lock(1937072755, 2)")

    /// Only users that nobody has in hand, and that want what they wanted when they were compared. Rows are locked in
    /// the order of their keys with SKIP LOCKED; those that aren't there yet are inserted in the same order.
    ///
    /// Whoever was called before, without an answer that named the subscriber, keeps what is known of that call, and
    /// gets the id only. Who was held is due again: the reason may be gone, and something asked for a push once.
    static let adopt = Statement<(UserKey, AdoptionVerdict)>(
        "adopt",
        """
        WITH given AS MATERIALIZED (
            SELECT g.*, lower(btrim(g.reference)) AS folded FROM unnest(
                $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[])
            AS g(user_key, version, reference, subscriber_id, told, is_same, fingerprint)
        ),
        locked AS MATERIALIZED (
            SELECT s.* FROM subscriber_sync.subscriber s
            WHERE s.user_key = ANY ($1::text[])
            ORDER BY s.user_key FOR UPDATE SKIP LOCKED
        ),
        judged AS MATERIALIZED (
            SELECT g.*, l.user_key IS NOT NULL AS is_there, CASE
                WHEN holder.is_there THEN 'taken'
                -- A call for a deleted user may still land: admission sees to such a subscriber.
                WHEN holder.is_doubted THEN 'later'
                WHEN l.user_key IS NULL THEN CASE WHEN g.version = 0 THEN 'fit' ELSE 'later' END
                WHEN l.wanted = g.version AND l.lease IS NULL AND l.subscriber_id IS NULL
                    AND (l.admitted_at IS NULL OR l.reference = g.reference) THEN 'fit'
                ELSE 'later'
            END AS verdict
            FROM given g LEFT JOIN locked l ON l.user_key = g.user_key
            LEFT JOIN LATERAL (
                SELECT bool_or(other.standing <> 'deleted') AS is_there,
                    bool_or(other.doubted_until IS NOT NULL) AS is_doubted
                FROM subscriber_sync.subscriber other
                WHERE lower(btrim(other.reference)) = g.folded AND other.admitted_at IS NOT NULL
                    AND other.user_key <> g.user_key COLLATE "C"
            ) AS holder ON true
        ),
        changed AS (
            UPDATE subscriber_sync.subscriber s SET
                reference = j.reference,
                subscriber_id = j.subscriber_id::uuid,
                -- Neither new nor counted for the cost brake: it is paid for already.
                admitted_at = coalesce(s.admitted_at, now() - interval '24 hours'),
                (told, fingerprint, standing) = (
                    SELECT
                        CASE WHEN fresh THEN j.told::jsonb ELSE s.told END,
                        CASE WHEN fresh THEN decode(j.fingerprint, 'hex') ELSE s.fingerprint END,
                        CASE WHEN fresh AND s.standing IN ('unsynced', 'out_of_scope', 'deleted')
                            THEN CASE WHEN j.is_same THEN 'synced' ELSE 'unsynced' END
                            ELSE s.standing END
                    FROM (SELECT s.admitted_at IS NULL AS fresh) AS decided
                ),
                due_at = CASE WHEN s.standing = 'held' THEN least(s.due_at, now()) ELSE s.due_at END,
                -- A sweep that read the row before us writes nothing down.
                wanted = s.wanted + 1
            FROM judged j
            WHERE s.user_key = j.user_key AND s.user_key = ANY ($1::text[]) AND j.is_there AND j.verdict = 'fit'
            RETURNING s.user_key, s.reference, s.subscriber_id
        ),
        added AS (
            INSERT INTO subscriber_sync.subscriber AS s
                (user_key, reference, subscriber_id, admitted_at, told, fingerprint, standing, wanted)
            SELECT j.user_key, j.reference, j.subscriber_id::uuid, now() - interval '24 hours', j.told::jsonb,
                decode(j.fingerprint, 'hex'), CASE WHEN j.is_same THEN 'synced' ELSE 'unsynced' END, 1
            FROM judged j WHERE NOT j.is_there AND j.verdict = 'fit'
            ORDER BY j.user_key COLLATE "C"
            ON CONFLICT (user_key) DO NOTHING
            RETURNING s.user_key, s.reference, s.subscriber_id
        ),
        adopted AS (SELECT * FROM changed UNION ALL SELECT * FROM added),
        logged AS (
            INSERT INTO subscriber_sync.log (user_key, reference, subscriber_id, outcome, agent)
            SELECT a.user_key, a.reference, a.subscriber_id, 'adopted', $8::text FROM adopted a ORDER BY a.user_key
        )
        SELECT j.user_key, CASE WHEN a.user_key IS NOT NULL THEN 'adopted' WHEN j.verdict = 'taken' THEN 'taken'
            ELSE 'later' END
        FROM judged j LEFT JOIN adopted a ON a.user_key = j.user_key
        """
    ) { row throws(PostgresError) in
        (UserKey(try row.text(0)), AdoptionVerdict(rawValue: try row.text(1)) ?? .later)
    }
}
