import Postgres
import SyncCore

/// The statements about the rows of `sweep` themselves.
extension Store {
    /// How many changes may wait before a sweep waits for them.
    static let sweepBacklog = 10_000

    /// For a transaction that a crash of the server may forget as a whole.
    static let commitAtLeisure = Statement<Void>("commit_at_leisure", "SET LOCAL synchronous_commit = off")

    static let sweepState = Statement<SweepState>(
        "sweep_state",
        """
        SELECT w.reason, w.leg, w.reached,
            ceil(extract(epoch FROM greatest(w.next_page_at, now()) - now()) * 1000)::bigint,
            (extract(epoch FROM now() - w.finished_at) * 1000)::bigint,
            (SELECT f.baseline_at IS NOT NULL FROM subscriber_sync.sweep f WHERE f.kind = 'full'),
            ARRAY(SELECT DISTINCT r.reason FROM (SELECT reason FROM subscriber_sync.sweep_request LIMIT 1000) AS r
                ORDER BY 1),
            CASE WHEN $3::boolean THEN
                (SELECT count(*) FROM (SELECT FROM subscriber_sync.change LIMIT \(sweepBacklog + 1)) AS c) > \(sweepBacklog)
                ELSE false END,
            EXISTS (SELECT FROM subscriber_sync.mapping m WHERE m.role = 'used' AND m.mark <> $2::text)
        FROM subscriber_sync.sweep w WHERE w.kind = $1
        FOR UPDATE SKIP LOCKED
        """
    ) { row throws(PostgresError) in
        var underWay: SweepState.UnderWay?
        if let reason = try row.optionalText(0) {
            underWay = SweepState.UnderWay(
                reason: SweepReason(text: reason),
                leg: try row.optionalText(1).flatMap(SweepLeg.init(rawValue:)) ?? .source,
                reached: try row.optionalText(2))
        }
        return SweepState(
            underWay: underWay, untilNextPage: .milliseconds(try row.bigint(3)),
            sinceFinished: try row.optionalBigint(4).map { .milliseconds($0) }, hasBaseline: try row.boolean(5),
            requests: try row.textArray(6).compactMap { $0 }, isBacklogged: try row.boolean(7),
            isOthers: try row.boolean(8))
    }

    /// Where the next recent sweep has to begin: at the beginning of the oldest transaction that is open now, for
    /// what it commits later has an `updated_at` from then on. A prepared one hides when it began, and every one does
    /// from a role that may not see; then what was found before stays. A backend publishes that it began a moment
    /// after it took the time: hence the second.
    private static let watermark = """
        CASE WHEN NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
                OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts WHERE database = current_database())
            THEN coalesce(w.until, '-infinity')
            ELSE (
                SELECT least(now(), min(a.xact_start)) - interval '1 second' FROM pg_catalog.pg_stat_activity a
                WHERE a.datname = current_database() AND a.pid <> pg_backend_pid())
        END
        """

    /// Whoever asked is answered by this one; who asks from now on, by the next. A recent sweep can begin no later
    /// than the first full one did.
    static let beginFullSweep = Statement<Void>(
        "begin_full_sweep",
        """
        WITH asked AS (DELETE FROM subscriber_sync.sweep_request),
        begun AS (
            UPDATE subscriber_sync.sweep w SET reason = $1, started_at = now(), leg = 'source', reached = NULL,
                compared = 0, found = 0, next_page_at = now()
            WHERE w.kind = 'full'
        )
        UPDATE subscriber_sync.sweep w SET until = \(watermark)
        WHERE w.kind = 'recent' AND w.until IS NULL AND w.reason IS NULL
        """)

    static let beginRecentSweep = Statement<Void>(
        "begin_recent_sweep",
        """
        UPDATE subscriber_sync.sweep w SET reason = $1, started_at = now(), leg = 'source', reached = NULL,
            reached_at = NULL, compared = 0, found = 0, next_page_at = now(),
            since = coalesce(w.until, '-infinity'), until = \(watermark)
        WHERE w.kind = 'recent'
        """)

    static let recentBounds = Statement<(since: String?, reached: String?)>(
        "recent_bounds", "SELECT w.since::text, w.reached_at FROM subscriber_sync.sweep w WHERE w.kind = 'recent'"
    ) { row throws(PostgresError) in (try row.optionalText(0), try row.optionalText(1)) }

    /// $7: how long until the next page, in µs. Knocks where there is something to be claimed.
    static let advanceSweep = Statement<Void>(
        "advance_sweep",
        """
        WITH knocked AS (SELECT pg_notify('subscriber_sync', '') WHERE $6::bigint > 0)
        UPDATE subscriber_sync.sweep w SET leg = $2, reached = $3, reached_at = $4, compared = w.compared + $5::bigint,
            found = w.found + $6::bigint, next_page_at = now() + $7::bigint * interval '1 microsecond'
        WHERE w.kind = $1 AND (SELECT count(*) FROM knocked) >= 0
        """)

    /// $2: whether what it found is drift; $3: whether it is worth a row in the log.
    static let endSweep = Statement<(Int, Int)>(
        "end_sweep",
        """
        WITH ended AS (
            UPDATE subscriber_sync.sweep w SET reason = NULL, leg = NULL, reached = NULL, reached_at = NULL,
                finished_at = now(), finished_reason = w.reason, finished_compared = w.compared,
                finished_found = w.found, found_total = w.found_total + CASE WHEN $2::boolean THEN w.found ELSE 0 END,
                baseline_at = CASE WHEN w.kind = 'full' THEN coalesce(w.baseline_at, now()) END
            WHERE w.kind = $1
            RETURNING w.finished_reason, w.finished_compared, w.finished_found
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (outcome, error, agent)
            SELECT 'sweep', format('%s: %s %s compared, %s differed', e.finished_reason, e.finished_compared,
                CASE WHEN e.finished_compared = 1 THEN 'user' ELSE 'users' END, e.finished_found), $4::text
            FROM ended e WHERE $3::boolean
        )
        SELECT e.finished_compared, e.finished_found FROM ended e
        """
    ) { row throws(PostgresError) in (try row.integer(0), try row.integer(1)) }

    static let requestSweep = Statement<Void>(
        "request_sweep", "INSERT INTO subscriber_sync.sweep_request (reason) VALUES ($1)")

    static let isSweepAsked = Statement<Bool>(
        "is_sweep_asked", "SELECT EXISTS (SELECT FROM subscriber_sync.sweep_request r WHERE r.reason = $1)"
    ) { row throws(PostgresError) in try row.boolean(0) }

    static let seesTransactions = Statement<Bool>(
        "sees_transactions", "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
    ) { row throws(PostgresError) in try row.boolean(0) }
}
