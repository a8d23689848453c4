import Postgres
import SyncCore

/// What the brake on mass changes goes by.
public struct BlastCount: Sendable, Hashable {
    /// The most known users who changed within one window.
    public let changed: Int
    /// Subscribers that were there before it, as far as they were counted.
    public let known: Int

    public init(changed: Int, known: Int) {
        self.changed = changed
        self.known = known
    }
}

extension Store {
    /// Counts the most known users who changed within one window, since an operator judged last, and the subscribers that
    /// were there before the window in which they are counted.
    ///
    /// Not only the window that ends now: what changed while no agent ran, or none could read the source, is as much a
    /// mass change when it is found. And not only what was folded: what waits behind it will be.
    ///
    /// - Parameters:
    ///   - oldest: when the oldest change was made that is to be pushed now; `nil`: just now.
    ///   - gauge: how many known users it wants to know of.
    public func countChanges(from oldest: String?, for gauge: BlastGauge) async throws(StoreError) -> BlastCount {
        let parameters: [Parameter] = [
            .bigint(Store.windowMilliseconds), .optionalText(oldest), .bigint(Int64(gauge.fewest)),
            .bigint(Int64(gauge.knownPerChange)),
        ]
        return try await query(Store.countChanges, parameters).first ?? BlastCount(changed: 0, known: 0)
    }

    /// Holds changes of known users from now on, until an operator answers.
    ///
    /// - Returns: whether they weren't held before.
    public func brake(_ count: BlastCount) async throws(StoreError) -> Bool {
        let parameters: [Parameter] = [.bigint(Int64(count.changed)), .bigint(Int64(count.known)), .text(agent)]
        return try await query(Store.brake, parameters).first ?? false
    }

    /// Pauses all agents because the configuration looks wrong; `resume` makes those users due again.
    public func pauseForSuspicion(_ suspicion: Suspicion) async throws(StoreError) {
        let parameters: [Parameter] = [
            .text(suspicion.reason), .text(agent), .text(suspicion.problem.code),
            .bigint(suspicion.lasting.millisecondsRoundedUp),
        ]
        _ = try await query(Store.pauseForSuspicion, parameters)
    }

    fileprivate static let windowMilliseconds = BlastGauge.window.millisecondsRoundedUp

    /// How many changes that wait are looked at: what bounds how long a claim waits for the count.
    static let mostWaiting = 100_000

    /// Who was created within the window isn't known before it, and not changed but new. It looks back a day at most, so
    /// that a user who is retried for weeks costs no more.
    ///
    /// Of a million known users it counts as many as matter. Where they are too few for a limit, it counts no changes:
    /// everybody is new then, and each claim would read them all.
    static let countChanges = Statement<BlastCount>(
        "count_changes",
        """
        WITH begin AS MATERIALIZED (
            SELECT greatest(
                least($2::text::timestamptz, now()) - $1::bigint * interval '1 ms',
                now() - interval '1 day', (SELECT c.judged_at FROM subscriber_sync.control c)) AS at
        ),
        waiting AS MATERIALIZED (
            SELECT c.user_key, max(c.changed_at) AS changed_at FROM (
                SELECT c.user_key, c.changed_at FROM subscriber_sync.change c LIMIT \(mostWaiting)
            ) AS c
            WHERE c.user_key IS NOT NULL AND c.changed_at > (SELECT at FROM begin)
            GROUP BY c.user_key
        ),
        -- Fenced, so that the index of changes leads to them, and not that of admissions to everybody.
        lately AS MATERIALIZED (
            SELECT s.user_key, s.changed_at, s.admitted_at, s.standing FROM subscriber_sync.subscriber s
            WHERE s.admitted_at IS NOT NULL AND s.changed_at > (SELECT at FROM begin)
        ),
        changed AS (
            SELECT s.changed_at FROM lately s
            WHERE \(isKnown) AND NOT EXISTS (SELECT FROM waiting w WHERE w.user_key = s.user_key)
            UNION ALL
            SELECT w.changed_at FROM waiting w CROSS JOIN LATERAL (
                SELECT FROM subscriber_sync.subscriber s WHERE s.user_key = w.user_key AND \(isKnown) LIMIT 1
            ) AS known
        ),
        counted AS MATERIALIZED (
            SELECT CASE WHEN (\(known(atMost: "$3::bigint"))) < $3::bigint THEN 0 ELSE (
                SELECT coalesce(max(w.users), 0) FROM (
                    SELECT count(*) OVER (
                        ORDER BY c.changed_at RANGE BETWEEN $1::bigint * interval '1 ms' PRECEDING AND CURRENT ROW
                    ) AS users
                    FROM changed c
                ) AS w
            ) END AS users
        )
        SELECT c.users, (\(known(atMost: "greatest($3::bigint, $4::bigint * c.users)"))) FROM counted c
        """, planning: .once
    ) { row throws(PostgresError) in BlastCount(changed: try row.integer(0), known: try row.integer(1)) }

    private static let isKnown = """
        s.admitted_at < now() - $1::bigint * interval '1 ms' AND s.standing <> 'deleted'
        """

    /// In the order of the index, which the planner uses then, wherever in the table the known users lie.
    private static func known(atMost limit: String) -> String {
        """
        SELECT count(*) FROM (
            SELECT FROM subscriber_sync.subscriber s WHERE s.admitted_at < now() - $1::bigint * interval '1 ms'
            ORDER BY s.admitted_at LIMIT \(limit)
        ) AS known
        """
    }

    static let brake = Statement<Bool>(
        "brake",
        """
        WITH braked AS (
            UPDATE subscriber_sync.control SET braked_at = now(), braked_changed = $1::bigint, braked_known = $2::bigint
            WHERE braked_at IS NULL
            RETURNING format('%s of %s known users changed within 10 minutes', braked_changed, braked_known) AS reason
        )
        INSERT INTO subscriber_sync.log (outcome, error_code, error, agent)
        SELECT 'braked', 'mass_change', b.reason, $3 FROM braked b
        RETURNING true
        """
    ) { row throws(PostgresError) in try row.boolean(0) }

    static let pauseForSuspicion = Statement<Void>(
        "pause_for_suspicion",
        """
        WITH paused AS (
            UPDATE subscriber_sync.control
            SET pause_kind = 'suspicious', pause_reason = $1, paused_at = now(), probe_at = NULL, probe_failures = 0,
                suspect_code = $3, suspect_since = now() - $4::bigint * interval '1 ms' - interval '1 minute'
            WHERE pause_kind IS NULL OR pause_kind = 'account'
            RETURNING pause_reason
        )
        INSERT INTO subscriber_sync.log (outcome, error_code, error, agent)
        SELECT 'paused', 'suspicious', pause_reason, $2 FROM paused
        """)
}

/// What an operator's answer to the brakes came to.
public struct Judgement: Sendable, Hashable {
    /// Users who were held because so many changed at once.
    public let changed: Int
    /// Users who were held because the limit of new subscribers was used up.
    public let new: Int

    public init(changed: Int, new: Int) {
        self.changed = changed
        self.new = new
    }
}

extension FleetControl {
    /// Lets everything that the brakes hold go on: the changes are pushed, and so many new subscribers are allowed
    /// beyond the limit for 24 hours.
    public func approve() async throws(StoreError) -> Judgement { try await judge(FleetControl.approve) }

    /// Leaves what the brakes hold unsent: those users are held until their rows change, or a resync is asked for.
    ///
    /// What no agent has looked at yet isn't judged by it: a mass change of which the rest still waits is held again.
    public func reject() async throws(StoreError) -> Judgement { try await judge(FleetControl.reject) }

    private func judge(_ statement: Statement<Judgement>) async throws(StoreError) -> Judgement {
        do {
            return try await session.query(statement, [.text(operatorName)]).first ?? Judgement(changed: 0, new: 0)
        } catch {
            throw StoreError(error)
        }
    }

    /// Users are locked in the order of their keys.
    private static let held = """
        held AS MATERIALIZED (
            SELECT s.user_key, s.last_error_code FROM subscriber_sync.subscriber s
            WHERE s.standing = 'held' AND s.last_error_code IN ('mass_change', 'new_subscriber_limit')
            ORDER BY s.user_key FOR UPDATE
        ),
        counted AS MATERIALIZED (
            SELECT count(*) FILTER (WHERE last_error_code = 'mass_change') AS changed,
                count(*) FILTER (WHERE last_error_code = 'new_subscriber_limit') AS new
            FROM held
        )
        """

    static let approve = Statement<Judgement>(
        "approve",
        """
        WITH \(held),
        released AS (
            UPDATE subscriber_sync.subscriber s SET
                -- Who is in flight stays so: another lease would make a second call beside the first.
                due_at = CASE WHEN s.lease IS NOT NULL AND s.due_at > now() THEN s.due_at ELSE least(s.due_at, now()) END,
                wanted = s.wanted + 1
            FROM held h WHERE s.user_key = h.user_key AND s.user_key = ANY (ARRAY(SELECT user_key FROM held))
        ),
        switched AS (
            UPDATE subscriber_sync.control c SET braked_at = NULL, judged_at = now(),
                extra_subscribers = n.new + CASE WHEN c.extra_until > now() THEN c.extra_subscribers ELSE 0 END,
                extra_until = CASE WHEN n.new > 0 THEN now() + interval '24 hours' ELSE c.extra_until END
            FROM counted n
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (outcome, error, agent)
            SELECT 'approved', format('%s changed and %s new users', n.changed, n.new), $1::text FROM counted n
        ),
        knocked AS (SELECT pg_notify('subscriber_sync', ''))
        SELECT n.changed, n.new FROM counted n, knocked
        """, decode: judgement)

    static let reject = Statement<Judgement>(
        "reject",
        """
        WITH \(held),
        parked AS (
            UPDATE subscriber_sync.subscriber s SET last_error_code = h.last_error_code || '_rejected',
                last_error = 'An operator said reject; the user is pushed when the row changes, or by a resync.'
            FROM held h WHERE s.user_key = h.user_key AND s.user_key = ANY (ARRAY(SELECT user_key FROM held))
        ),
        unjudged AS (
            SELECT min(u.changed_at) AS since FROM (
                SELECT w.changed_at FROM subscriber_sync.change w
                UNION ALL
                SELECT s.changed_at FROM subscriber_sync.subscriber s
                WHERE s.priority = 0 AND s.due_at <= now() AND s.lease IS NULL
            ) AS u
            WHERE u.changed_at > (SELECT c.braked_at FROM subscriber_sync.control c) - interval '\(Store.windowMilliseconds) ms'
        ),
        switched AS (
            UPDATE subscriber_sync.control c SET braked_at = NULL,
                judged_at = greatest(c.judged_at, least(now(), u.since - interval '1 microsecond'))
            FROM unjudged u
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (outcome, error, agent)
            SELECT 'not_approved', format('%s changed and %s new users', n.changed, n.new), $1::text FROM counted n
        )
        SELECT n.changed, n.new FROM counted n
        """, decode: judgement)

    @Sendable private static func judgement(_ row: borrowing RowReader) throws(PostgresError) -> Judgement {
        Judgement(changed: try row.integer(0), new: try row.integer(1))
    }
}
