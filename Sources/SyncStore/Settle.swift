import Postgres
import SyncCore

extension Store {
    /// Writes a batch of settlements and their log rows, in one statement that never waits for a row.
    ///
    /// Repeating it is safe: what was written already is found to have lost its lease, and is sent again.
    public func settle(_ batch: [Settlement]) async throws(StoreError) -> SettleReport {
        guard !batch.isEmpty else { return SettleReport(settled: 0) }
        let verdicts = try await query(Store.settle, SettleColumns.parameters(of: batch, lease: lease, agent: agent))
        var report = SettleReport(settled: 0)
        var skipped: Set<UserKey> = []
        for row in verdicts {
            switch row.verdict {
            case .settled: report.settled += 1
            case .lost: report.lost += 1
            case .skipped: skipped.insert(row.user)
            }
            if row.isDueNow { report.dueNow += 1 }
            if let latency = row.latency { report.latencies.append(latency) }
        }
        report.skipped = batch.filter { skipped.contains($0.user) }
        return report
    }

    enum SettleVerdict: String, Sendable {
        case settled, lost, skipped
    }

    /// What became of one settlement.
    struct SettledRow: Sendable {
        let user: UserKey
        let verdict: SettleVerdict
        let isDueNow: Bool
        /// From the commit of the user's newest change to now, where SignalWire knows that change since now.
        let latency: Duration?
    }

    /// Fenced by the lease. Where it was lost, the user is due again whatever the settlement says: a late
    /// request of ours may have overwritten newer data at SignalWire, and only sending again heals that.
    /// Somebody else may have the subscriber that was called by now, after a change of the key or of references, or a
    /// return under another key: then the heir is due again too, even where the user's own row was forgotten meanwhile.
    ///
    /// Who waited for the reference of a user that is deleted now is due as well.
    ///
    /// Rows are locked with SKIP LOCKED, so this waits for nobody. A settlement whose row or heir can't be had just then
    /// (locked, written since the snapshot, or settled by the same batch) is skipped as a whole, and comes again.
    ///
    /// Rows are written by their place: a plan that is kept is made when nobody knows how many there will be, and by their
    /// keys it may come to look for all of them once for each.
    static let settle = Statement<SettledRow>(
        "settle",
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM unnest(
                $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::text[],
                $19::text[])
            AS g(user_key, lease, version, standing, due_ms, attempts, told, subscriber_id,
                doubt, outcome, http_status, error_code, error, changed, duration_ms, request_id, called)
        ),
        locked AS MATERIALIZED (
            SELECT s.*, s.ctid AS place FROM subscriber_sync.subscriber s
            WHERE s.user_key = ANY ($1::text[])
            ORDER BY s.user_key FOR UPDATE SKIP LOCKED
        ),
        -- A version that the snapshot doesn't see can't be written by its place.
        had AS MATERIALIZED (
            SELECT l.* FROM locked l CROSS JOIN LATERAL (
                SELECT FROM subscriber_sync.subscriber s WHERE s.ctid = l.place LIMIT 1
            ) AS seen
        ),
        assessed AS MATERIALIZED (
            SELECT g.*, s.place, s.lease IS NOT DISTINCT FROM g.lease AS is_held,
                s.reference, s.subscriber_id AS known_id, s.admitted_at IS NOT NULL AS is_admitted,
                s.wanted <> g.version AS is_newer_wanted,
                -- The change that this push was made for, if it was one of the application's and isn't known there yet.
                -- One that came while the push before was in flight is older than that one's success.
                CASE WHEN s.priority = 0 AND s.wanted = g.version AND s.changed_at > coalesce(s.synced_at, '-infinity')
                    - CASE WHEN s.doubted_until IS NULL THEN $17::bigint ELSE 0 END * interval '1 ms'
                THEN s.changed_at END AS untold_since,
                -- A doubt that is no older than the claim outlives its success.
                CASE g.doubt
                    WHEN 'cleared' THEN CASE WHEN s.doubted_until > s.last_attempt_at THEN s.doubted_until END
                    WHEN 'raised' THEN greatest(s.doubted_until, now() + $17::bigint * interval '1 ms')
                    ELSE s.doubted_until
                END AS doubt_left
            FROM given g JOIN had s ON s.user_key = g.user_key
        ),
        lost AS MATERIALIZED (
            SELECT a.user_key, a.called, a.doubt FROM assessed a WHERE NOT a.is_held
            UNION ALL
            SELECT g.user_key, g.called, g.doubt FROM given g
            WHERE (SELECT s.user_key FROM subscriber_sync.subscriber s WHERE s.user_key = g.user_key LIMIT 1) IS NULL
        ),
        -- Who has the subscriber of a lost call now. Admission lets one living user have a reference; the LIMIT
        -- makes the planner look each up by the index of references.
        succeeding AS MATERIALIZED (
            SELECT l.user_key, l.doubt, h.user_key AS heir FROM lost l CROSS JOIN LATERAL (
                SELECT h.user_key FROM subscriber_sync.subscriber h
                WHERE lower(btrim(h.reference)) = lower(btrim(l.called)) AND h.admitted_at IS NOT NULL
                    AND h.user_key <> l.user_key AND h.standing <> 'deleted'
                LIMIT 2
            ) AS h
        ),
        heirs AS MATERIALIZED (
            SELECT h.user_key FROM subscriber_sync.subscriber h
            WHERE h.user_key = ANY (ARRAY(SELECT heir FROM succeeding)) AND h.user_key <> ALL ($1::text[])
            ORDER BY h.user_key FOR UPDATE SKIP LOCKED
        ),
        -- Those whose heir can't be had.
        waiting AS MATERIALIZED (
            SELECT e.user_key FROM succeeding e
            WHERE e.heir NOT IN (SELECT user_key FROM heirs)
                -- An heir that lost its own lease in this batch is due again for that; or two that are each other's
                -- would be skipped for ever.
                AND e.heir NOT IN (SELECT a.user_key FROM assessed a WHERE NOT a.is_held)
        ),
        judged AS MATERIALIZED (
            SELECT a.* FROM assessed a WHERE a.user_key NOT IN (SELECT user_key FROM waiting)
        ),
        kept AS (
            UPDATE subscriber_sync.subscriber s SET
                lease = NULL,
                standing = coalesce(j.standing, s.standing),
                -- What was inherited at admission is kept where the push knew nothing of it.
                told = s.told || coalesce(j.told::jsonb, '{}'),
                subscriber_id = coalesce(j.subscriber_id::uuid, s.subscriber_id),
                attempts = CASE j.attempts
                    WHEN 'cleared' THEN 0 WHEN 'kept' THEN s.attempts ELSE greatest(0, s.attempts - 1) END,
                synced_at = CASE WHEN j.outcome IN ('accepted', 'subscriber_id_changed') THEN now() ELSE s.synced_at END,
                last_error = CASE WHEN j.outcome IS NULL THEN s.last_error ELSE j.error END,
                last_error_code = CASE WHEN j.outcome IS NULL THEN s.last_error_code ELSE j.error_code END,
                -- What `status` says of a mass change.
                held_fields = CASE WHEN j.outcome IS NULL THEN s.held_fields
                    WHEN j.error_code = 'mass_change' THEN string_to_array(j.changed, ',') END,
                doubted_until = j.doubt_left,
                due_at = CASE
                    WHEN j.is_newer_wanted THEN now()
                    WHEN j.doubt = 'cleared' AND j.doubt_left IS NOT NULL THEN greatest(j.doubt_left, now())
                    ELSE now() + j.due_ms * interval '1 ms'
                END
            FROM judged j
            WHERE s.ctid = j.place AND j.is_held
            RETURNING s.user_key, s.due_at
        ),
        redone AS (
            UPDATE subscriber_sync.subscriber s SET
                wanted = s.wanted + 1,
                -- One without an answer may land even later.
                doubted_until = greatest(s.doubted_until, now() + CASE
                    WHEN j.doubt = 'raised'
                        OR EXISTS (SELECT FROM succeeding e WHERE e.heir = s.user_key AND e.doubt = 'raised')
                    THEN $17::bigint ELSE 0 END * interval '1 ms'),
                due_at = CASE WHEN s.lease IS NOT NULL AND s.due_at > now() THEN s.due_at ELSE now() END
            FROM judged j
            WHERE s.ctid = j.place AND NOT j.is_held
        ),
        warned AS (
            UPDATE subscriber_sync.subscriber s SET
                wanted = s.wanted + 1,
                doubted_until = greatest(s.doubted_until, now() + CASE
                    WHEN EXISTS (SELECT FROM succeeding e WHERE e.heir = s.user_key AND e.doubt = 'raised')
                    THEN $17::bigint ELSE 0 END * interval '1 ms'),
                due_at = CASE WHEN s.lease IS NOT NULL AND s.due_at > now() THEN s.due_at ELSE now() END
            WHERE s.user_key = ANY (ARRAY(
                SELECT h.user_key FROM heirs h
                WHERE EXISTS (
                    SELECT FROM succeeding e
                    WHERE e.heir = h.user_key AND e.user_key NOT IN (SELECT user_key FROM waiting))))
        ),
        freed AS (
            SELECT subscriber_sync.release_duplicates(
                array_agg(lower(btrim(j.reference))), $1::text[] || ARRAY(SELECT user_key FROM heirs))
            FROM judged j WHERE j.is_held AND j.is_admitted AND j.standing = 'deleted'
            HAVING count(*) > 0
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (user_key, reference, subscriber_id, outcome, http_status, error_code, error,
                changed_fields, duration_ms, agent, request_id)
            SELECT j.user_key,
                -- Of a lost call nothing that we don't know of the user anyway: they may have been forgotten meanwhile.
                CASE WHEN j.is_held OR j.called IS NULL OR j.called = j.reference THEN j.reference
                    ELSE (SELECT p.reference FROM subscriber_sync.pair p
                        WHERE p.user_key = j.user_key AND p.reference = j.called) END,
                CASE WHEN j.is_held OR j.subscriber_id::uuid = j.known_id THEN j.subscriber_id::uuid END,
                CASE WHEN j.is_held THEN j.outcome ELSE 'lease_lost' END,
                j.http_status::integer, j.error_code, j.error, string_to_array(j.changed, ','), j.duration_ms::integer,
                $18::text, j.request_id
            FROM judged j WHERE j.outcome IS NOT NULL OR NOT j.is_held
            ORDER BY j.user_key
        )
        SELECT g.user_key,
            CASE WHEN j.is_held THEN 'settled' WHEN j.user_key IS NOT NULL THEN 'lost'
                -- A row that is gone has nothing to settle; one that is there is locked by somebody.
                WHEN EXISTS (SELECT FROM subscriber_sync.subscriber s WHERE s.user_key = g.user_key)
                    OR g.user_key IN (SELECT user_key FROM waiting) THEN 'skipped'
                ELSE 'settled' END,
            coalesce(k.due_at <= now(), false),
            CASE WHEN j.is_held AND j.outcome IN ('accepted', 'subscriber_id_changed') AND j.untold_since IS NOT NULL
                THEN greatest(0, extract(epoch FROM now() - j.untold_since))::double precision END
        FROM given g LEFT JOIN judged j ON j.user_key = g.user_key LEFT JOIN kept k ON k.user_key = g.user_key
        WHERE (SELECT count(*) FROM freed) >= 0
        """, planning: .once
    ) { row throws(PostgresError) in
        SettledRow(
            user: UserKey(try row.text(0)), verdict: SettleVerdict(rawValue: try row.text(1)) ?? .settled,
            isDueNow: try row.boolean(2), latency: try row.optionalDouble(3).map { .seconds($0) })
    }
}

/// A batch of settlements, column by column, as the statement unnests them.
enum SettleColumns {
    static func parameters(of batch: [Settlement], lease: Duration, agent: String) -> [Parameter] {
        let notes = batch.map(\.note)
        return [
            .textArray(batch.map(\.user.text)),
            .bigintArray(batch.map(\.lease.token)),
            .bigintArray(batch.map(\.version)),
            .textArray(batch.map { $0.standing?.rawValue }),
            .bigintArray(batch.map { dueMilliseconds($0.due) }),
            .textArray(batch.map(\.attempts.rawValue)),
            .textArray(batch.map { $0.told.map(ToldColumn.text) }),
            .textArray(batch.map { $0.subscriber?.text }),
            .textArray(batch.map(\.doubt.rawValue)),
            .textArray(notes.map { $0?.outcome.rawValue }),
            .bigintArray(notes.map { $0?.httpStatus.map(Int64.init) }),
            .textArray(notes.map { $0?.problem?.code }),
            .textArray(notes.map { $0?.problem.map(sentence) }),
            .textArray(notes.map { note in note.map { $0.changed.map(\.rawValue).joined(separator: ",") } }),
            .bigintArray(notes.map { $0?.duration?.millisecondsRoundedUp }),
            .textArray(notes.map { $0?.requestID }),
            .bigint(lease.millisecondsRoundedUp),
            .text(agent),
            .textArray(batch.map { $0.called?.text }),
        ]
    }

    private static func dueMilliseconds(_ due: Settlement.Due) -> Int64? {
        switch due {
        case .never: nil
        case .after(let wait): wait.millisecondsRoundedUp
        }
    }

    private static func sentence(_ problem: Problem) -> String {
        problem.attribute.map { "\(problem.message) (\($0))" } ?? problem.message
    }
}
