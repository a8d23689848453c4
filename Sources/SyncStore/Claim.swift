import Postgres
import SyncCore

/// What one claim brought, before anything was decided.
public struct ClaimBatch: Sendable {
    public let claims: [Claim]
    public let gate: Gate
    /// How many changes were folded into users.
    public let folded: Int
    /// How long until somebody is due; `nil` where nobody is. Meant for a batch without claims.
    public let nextDue: Duration?
    /// Whether changes of known users are held until an operator answers.
    public let isBraked: Bool
    /// When the oldest of the changes that it is about was made, as the database writes it; `nil`: it is about none.
    public let oldestChange: String?
    /// Where the next look may begin.
    public let reached: LookBounds.Reached
}

extension Store {
    /// How many changes one statement folds at most: what bounds it where a bulk update changed everybody.
    public static let foldLimit = 500

    /// Folds changes into users, takes leases on those that are due, and reads their current profiles.
    ///
    /// One statement, and so one snapshot: the profile is at least as new as the changes that it folded.
    ///
    /// - Parameter start: where the look begins; `nil`: it is a whole one.
    public func claim(limit: Int, from start: LookBounds.Reached? = nil) async throws(StoreError) -> ClaimBatch {
        let rows = try await query(
            statements.claim,
            [
                .bigint(Int64(limit)), .bigint(Int64(Store.foldLimit)), .bigint(lease.millisecondsRoundedUp),
                .text(ToldColumn.unknown(source.mapping.sentFields)),
                .text(start?.due ?? "-infinity"), .text(start?.change ?? "(0,0)"),
            ])
        guard let first = rows.first else {
            throw StoreError(
                .schema, "The table subscriber_sync.control has lost its row.",
                hint: "INSERT INTO subscriber_sync.control DEFAULT VALUES;")
        }
        return ClaimBatch(
            claims: rows.compactMap(\.claim), gate: first.gate, folded: first.folded, nextDue: first.nextDue,
            isBraked: first.isBraked, oldestChange: first.oldestChange, reached: first.reached)
    }
}

/// One row of the claim's answer: the gate and the counts in each, and a claim if there is one.
struct ClaimRow: Sendable {
    let gate: Gate
    let folded: Int
    let nextDue: Duration?
    let isBraked: Bool
    let oldestChange: String?
    let reached: LookBounds.Reached
    let claim: Claim?
}

/// The statement that folds and claims.
///
/// **Why two agents can't take one user.** A lease is written under the row's lock, and only where none
/// is held or the one held has ended.
///
/// **Why nobody claims a profile that is older than the version it claims.** The source is read in the
/// statement's snapshot, but a row lock shows the newest version, which another agent may have folded
/// from a change that this snapshot can't see. So a row is taken only if the version that was locked is one
/// that the snapshot sees; otherwise it stays due, and the next claim, with a newer snapshot, takes it.
///
/// **Why it can't deadlock.** First the fold locks users in the order of their keys, and may wait for one
/// of our own statements; only then (the limits of `live` and `resyncing` depend on it) are due rows
/// taken, with SKIP LOCKED, which never waits. So whoever waits holds only keys below the one it waits
/// for. The gate's row is taken with SKIP LOCKED too.
enum ClaimSQL {
    static func statement(for source: SourceTable, decoder: ClaimDecoder) -> Statement<ClaimRow> {
        Statement("claim", text(for: source), planning: .once) { row throws(PostgresError) in
            ClaimRow(
                gate: try gate(row),
                folded: try row.integer(3),
                nextDue: try row.optionalBigint(4).map { .milliseconds(max(0, $0)) },
                isBraked: try row.boolean(5),
                oldestChange: try row.optionalText(8),
                reached: LookBounds.Reached(due: try row.text(6), change: try row.optionalText(7)),
                claim: try row.optionalText(9) == nil ? nil : try decoder.claim(row, from: 9))
        }
    }

    private static func gate(_ row: borrowing RowReader) throws(PostgresError) -> Gate {
        switch try row.text(0) {
        case "open": .open
        case "probing": .probing
        case "throttled": .throttled(.milliseconds(try row.bigint(1)))
        default: .paused(probeAfter: try row.optionalBigint(2).map { .milliseconds(max(0, $0)) })
        }
    }

    /// Parameters: $1 the most leases, $2 the most changes to fold, $3 the lease in ms, $4 `told` after a
    /// claim that ended without a word, $5 nothing is due before this, $6 no change lies before this.
    private static func text(for source: SourceTable) -> String {
        "WITH" + gateText + foldText(source) + dueText(source) + answerText(source)
    }

    /// Whether, and how many, users may be pushed. During an account pause one agent may try one user.
    private static let gateText = """

        probing AS (
            UPDATE subscriber_sync.control SET
                probe_at = now() + least(interval '5 minutes', interval '5 seconds' * 2 ^ least(probe_failures, 10)),
                probe_failures = probe_failures + 1
            WHERE singleton IN (
                SELECT c.singleton FROM subscriber_sync.control c
                -- Looked up only during such a pause, and by the index of what is due.
                WHERE CASE
                    WHEN c.throttled_until > now() THEN false
                    WHEN c.pause_kind = 'account' AND c.probe_at <= now() THEN EXISTS (
                        SELECT FROM subscriber_sync.subscriber d WHERE d.priority IN (0, 1) AND d.due_at <= now())
                    ELSE false
                END
                FOR UPDATE SKIP LOCKED)
            RETURNING singleton
        ),
        gate AS MATERIALIZED (
            SELECT state, c.throttled_until, c.probe_at, c.braked_at IS NOT NULL AS is_braked,
                CASE state WHEN 'open' THEN $1::bigint WHEN 'probing' THEN least($1::bigint, 1) ELSE 0 END AS leases
            FROM subscriber_sync.control c,
            LATERAL (
                SELECT CASE
                    WHEN c.throttled_until > now() THEN 'throttled'
                    WHEN c.pause_kind IS NULL THEN 'open'
                    WHEN EXISTS (SELECT FROM probing) THEN 'probing'
                    ELSE 'paused'
                END AS state
            ) AS decided
        ),
        """

    /// Changes become users: deleted from `change`, `wanted` up by one, and the first of them leased.
    private static func foldText(_ source: SourceTable) -> String {
        """

        taken AS (
            DELETE FROM subscriber_sync.change WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM subscriber_sync.change
                WHERE user_key IS NOT NULL AND ctid >= $6::text::tid
                LIMIT $2::bigint FOR UPDATE SKIP LOCKED))
            RETURNING user_key, changed_at, ctid AS place
        ),
        folded AS MATERIALIZED (
            SELECT user_key, max(changed_at) AS changed_at, row_number() OVER (ORDER BY min(changed_at)) AS rank
            FROM taken GROUP BY user_key
        ),
        -- A quarter of the leases is for those who have been due for long, or new changes would keep them waiting for as
        -- long as more come than can be pushed.
        kept AS MATERIALIZED (
            SELECT count(*) AS leases FROM (
                SELECT FROM subscriber_sync.subscriber s
                WHERE s.priority = 0 AND s.due_at <= now() - interval '10 s' AND s.due_at >= $5::text::timestamptz
                LIMIT ceil((SELECT g.leases FROM gate g) / 4.0)::bigint
            ) AS due
        ),
        -- A lease for each that may have one, with the version that the snapshot makes of it.
        incoming AS MATERIALIZED (
            SELECT f.user_key, f.changed_at, coalesce(seen.wanted, 0) + 1 AS version,
                CASE WHEN f.rank <= g.leases - k.leases AND (seen.lease IS NULL OR seen.due_at <= now())
                    THEN nextval('subscriber_sync.lease') END AS lease
            FROM folded f CROSS JOIN gate g CROSS JOIN kept k
            LEFT JOIN LATERAL (
                SELECT s.wanted, s.lease, s.due_at FROM subscriber_sync.subscriber s
                WHERE s.user_key = f.user_key LIMIT 1
            ) AS seen ON true
        ),
        read AS MATERIALIZED (
            SELECT i.user_key, i.lease, \(source.rowColumns(of: "src")),
                \(source.fingerprint(of: "src", key: "i.user_key")) AS fingerprint
            FROM incoming i CROSS JOIN LATERAL (
                \(source.row(ofKey: "i.user_key"))
            ) AS src
            WHERE i.lease IS NOT NULL
        ),
        upserted AS (
            INSERT INTO subscriber_sync.subscriber AS s
                (user_key, changed_at, wanted, lease, due_at, attempts, last_attempt_at, reference, fingerprint)
            SELECT i.user_key, i.changed_at, i.version, i.lease,
                CASE WHEN i.lease IS NULL THEN now() ELSE now() + $3::bigint * interval '1 ms' END,
                CASE WHEN i.lease IS NULL THEN 0 ELSE 1 END,
                CASE WHEN i.lease IS NOT NULL THEN now() END,
                CASE WHEN read.in_scope THEN read.source_reference END, read.fingerprint
            FROM incoming i LEFT JOIN read ON read.user_key = i.user_key
            ORDER BY i.user_key
            ON CONFLICT (user_key) DO UPDATE SET
                wanted = s.wanted + 1,
                priority = 0,
                changed_at = greatest(s.changed_at, excluded.changed_at),
                (lease, due_at, attempts, last_attempt_at, reference, fingerprint, doubted_until, told) = (
                    SELECT
                        CASE WHEN takes THEN excluded.lease ELSE s.lease END,
                        CASE WHEN takes THEN excluded.due_at
                            WHEN s.lease IS NOT NULL THEN s.due_at
                            ELSE least(s.due_at, now()) END,
                        CASE WHEN takes THEN s.attempts + 1 ELSE s.attempts END,
                        CASE WHEN takes THEN now() ELSE s.last_attempt_at END,
                        CASE WHEN takes AND s.admitted_at IS NULL THEN excluded.reference ELSE s.reference END,
                        CASE WHEN takes THEN excluded.fingerprint ELSE s.fingerprint END,
                        CASE WHEN takes AND s.lease IS NOT NULL THEN excluded.due_at ELSE s.doubted_until END,
                        CASE WHEN takes AND s.lease IS NOT NULL THEN s.told || $4::jsonb ELSE s.told END
                    FROM (
                        SELECT excluded.lease IS NOT NULL AND s.wanted + 1 = excluded.wanted
                            AND (s.lease IS NULL OR s.due_at <= now()) AS takes
                    ) AS decided
                )
            RETURNING s.*
        ),
        fresh AS MATERIALIZED (
            SELECT \(ClaimDecoder.columns("u")), \(source.rowColumns(of: "read"))
            FROM upserted u JOIN incoming i ON i.user_key = u.user_key AND i.lease = u.lease
            LEFT JOIN read ON read.user_key = u.user_key
        ),
        """
    }

    /// Users that were due before: retries, ended leases, resyncs.
    private static func dueText(_ source: SourceTable) -> String {
        """

        live AS MATERIALIZED (
            SELECT s.ctid AS place, s.user_key FROM subscriber_sync.subscriber s
            WHERE s.priority = 0 AND s.due_at <= now() AND s.due_at >= $5::text::timestamptz
            ORDER BY s.due_at
            LIMIT greatest(0, (SELECT g.leases FROM gate g) - (SELECT count(*) FROM fresh))
            FOR UPDATE SKIP LOCKED
        ),
        resyncing AS MATERIALIZED (
            SELECT s.ctid AS place, s.user_key FROM subscriber_sync.subscriber s
            WHERE s.priority = 1 AND s.due_at <= now() AND s.due_at >= $5::text::timestamptz
            ORDER BY s.due_at
            LIMIT greatest(0,
                (SELECT g.leases FROM gate g) - (SELECT count(*) FROM fresh) - (SELECT count(*) FROM live))
            FOR UPDATE SKIP LOCKED
        ),
        picked AS MATERIALIZED (
            SELECT due.place, due.user_key, seen.changed_at, seen.priority, nextval('subscriber_sync.lease') AS new_lease,
                \(source.rowColumns(of: "src")),
                \(source.fingerprint(of: "src", key: "due.user_key")) AS fingerprint
            FROM (SELECT * FROM live UNION ALL SELECT * FROM resyncing) AS due
            CROSS JOIN LATERAL (
                SELECT s.changed_at, s.priority FROM subscriber_sync.subscriber s WHERE s.ctid = due.place LIMIT 1
            ) AS seen
            LEFT JOIN LATERAL (
                \(source.row(ofKey: "due.user_key"))
            ) AS src ON true
        ),
        leased AS (
            UPDATE subscriber_sync.subscriber s SET
                lease = p.new_lease,
                due_at = now() + $3::bigint * interval '1 ms',
                attempts = s.attempts + 1,
                last_attempt_at = now(),
                reference = CASE WHEN s.admitted_at IS NOT NULL THEN s.reference
                    WHEN p.in_scope THEN p.source_reference END,
                fingerprint = p.fingerprint,
                doubted_until = CASE WHEN s.lease IS NULL THEN s.doubted_until
                    ELSE now() + $3::bigint * interval '1 ms' END,
                told = CASE WHEN s.lease IS NULL THEN s.told ELSE s.told || $4::jsonb END
            FROM picked p
            WHERE s.ctid = p.place
            RETURNING \(ClaimDecoder.columns("s")), \(source.rowColumns(of: "p"))
        )

        """
    }

    private static func answerText(_ source: SourceTable) -> String {
        """
        SELECT g.state,
            ceil(extract(epoch FROM g.throttled_until - now()) * 1000)::bigint,
            ceil(extract(epoch FROM g.probe_at - now()) * 1000)::bigint,
            (SELECT count(*) FROM taken),
            ceil(extract(epoch FROM next.due_at - now()) * 1000)::bigint,
            g.is_braked,
            -- Whoever becomes due later is due from then on; a statement that began before us may still come, and
            -- none takes a minute.
            least(next.due_at, now() - interval '1 minute')::text,
            (SELECT max(place)::text FROM taken),
            least((SELECT min(changed_at) FROM taken),
                (SELECT min(p.changed_at) FROM picked p WHERE p.priority = 0))::text,
            claims.*
        FROM gate g
        CROSS JOIN (
            SELECT least(
                (SELECT min(s.due_at) FROM subscriber_sync.subscriber s
                    WHERE s.priority = 0 AND s.due_at >= $5::text::timestamptz),
                (SELECT min(s.due_at) FROM subscriber_sync.subscriber s
                    WHERE s.priority = 1 AND s.due_at >= $5::text::timestamptz)
            ) AS due_at
        ) AS next
        LEFT JOIN (SELECT * FROM fresh UNION ALL SELECT * FROM leased) AS claims ON true
        """
    }
}
