import Postgres
import SyncCore

extension Store {
    /// Nobody sends before this has passed. A longer silence that is agreed on already stays.
    public func throttle(for wait: Duration) async throws(StoreError) {
        _ = try await query(Store.throttle, [.bigint(wait.millisecondsRoundedUp)])
    }

    /// Pauses all agents because of the account; one probe at a time finds out when it works again.
    public func pauseForAccount(_ problem: Problem) async throws(StoreError) {
        _ = try await query(Store.pauseForAccount, [.text("\(problem.code): \(problem.message)"), .text(agent)])
    }

    /// Ends an account pause after a probe succeeded; an operator's pause stays.
    public func resumeAfterProbe() async throws(StoreError) {
        _ = try await query(Store.resume, [.text("account"), .text(agent)])
    }

    /// Pauses all agents because the mapping doesn't fit the source any more.
    public func pauseForSource(_ misfit: StoreError) async throws(StoreError) {
        let reason = ["source_changed: " + misfit.message, misfit.hint].compactMap { $0 }.joined(separator: " ")
        _ = try await query(Store.pauseForSource, [.text(reason), .text(agent)])
    }

    /// Ends such a pause if the mapping of this agent fits, and asks for a sweep: something may be hidden.
    ///
    /// During a pause a claim takes nobody and so reads no row; hence the users who are due first are read here,
    /// as a claim would read them.
    ///
    /// - Returns: whether there was one, and it is over.
    /// - Throws: what a claim would meet too.
    public func resumeAfterFit() async throws(StoreError) -> Bool {
        try await query(statements.resumeAfterFit, [.text(agent)]).first ?? false
    }

    static let pauseForSource = Statement<Void>(
        "pause_for_source",
        """
        WITH paused AS (
            UPDATE subscriber_sync.control
            SET pause_kind = 'source', pause_reason = $1, paused_at = now(), probe_at = NULL, probe_failures = 0
            WHERE pause_kind IS NULL OR pause_kind = 'account'
            RETURNING pause_reason
        )
        INSERT INTO subscriber_sync.log (outcome, error_code, error, agent)
        SELECT 'paused', 'source_changed', pause_reason, $2 FROM paused
        """)

    static let throttle = Statement<Void>(
        "throttle",
        """
        UPDATE subscriber_sync.control
        SET throttled_until = greatest(throttled_until, now() + $1::bigint * interval '1 ms')
        """)

    static let pauseForAccount = Statement<Void>(
        "pause_for_account",
        """
        WITH paused AS (
            UPDATE subscriber_sync.control
            SET pause_kind = 'account', pause_reason = $1, paused_at = now(),
                probe_at = now() + interval '5 seconds', probe_failures = 0
            WHERE pause_kind IS NULL
            RETURNING pause_reason
        )
        INSERT INTO subscriber_sync.log (outcome, error_code, error, agent)
        SELECT 'paused', 'account', pause_reason, $2 FROM paused
        """)

    /// $1: 'account' ends only such a pause, 'any' every one.
    static let resume = Statement<Void>(
        "resume",
        """
        WITH before AS MATERIALIZED (SELECT c.* FROM subscriber_sync.control c),
        resumed AS (
            UPDATE subscriber_sync.control
            SET pause_kind = NULL, pause_reason = NULL, paused_at = NULL, probe_at = NULL, probe_failures = 0,
                -- Whoever resumes a copy says that this one is to be synced.
                database_identity = CASE WHEN pause_kind = 'copied' THEN NULL ELSE database_identity END,
                throttled_until = CASE WHEN $1 = 'any' THEN NULL ELSE throttled_until END
            WHERE pause_kind IS NOT NULL AND ($1 = 'any' OR pause_kind = $1)
            RETURNING singleton
        ),
        -- Where the configuration was suspected, its rejections say nothing about the users.
        rejected AS MATERIALIZED (
            SELECT s.user_key FROM subscriber_sync.subscriber s, before b
            WHERE $1 = 'any' AND b.pause_kind = 'suspicious' AND s.standing = 'rejected' AND s.due_at IS NULL
                AND s.last_error_code = b.suspect_code AND s.last_attempt_at >= b.suspect_since
            ORDER BY s.user_key FOR UPDATE OF s
        ),
        again AS (
            UPDATE subscriber_sync.subscriber s SET due_at = now(), wanted = s.wanted + 1
            WHERE s.user_key = ANY (ARRAY(SELECT user_key FROM rejected))
        ),
        knocked AS (SELECT pg_notify('subscriber_sync', '') FROM resumed)
        INSERT INTO subscriber_sync.log (outcome, agent)
        SELECT 'resumed', $2 FROM resumed WHERE (SELECT count(*) FROM knocked) >= 0
        """)
}

/// The statement about a pause that depends on the mapping.
enum ControlSQL {
    /// How many users a trial reads: more than a claim takes.
    private static let trial = 1000

    /// Nobody is read where there is no such pause.
    static func resumeAfterFit(_ source: SourceTable) -> Statement<Bool> {
        Statement(
            "resume_after_fit",
            """
            WITH resumed AS (
                UPDATE subscriber_sync.control SET pause_kind = NULL, pause_reason = NULL, paused_at = NULL
                WHERE CASE WHEN pause_kind = 'source' THEN (
                    SELECT count(src.in_scope) + count(\(source.fingerprint(of: "src", key: "due.user_key")))
                    FROM (
                        SELECT s.user_key FROM subscriber_sync.subscriber s
                        WHERE s.priority IN (0, 1) AND s.due_at <= now()
                        ORDER BY s.priority, s.due_at LIMIT \(trial)
                    ) AS due
                    CROSS JOIN LATERAL (
                        \(source.row(ofKey: "due.user_key"))
                    ) AS src
                ) >= 0 ELSE false END
                RETURNING singleton
            ),
            asked AS (
                INSERT INTO subscriber_sync.sweep_request (reason) SELECT 'source_changed' FROM resumed
            ),
            logged AS (
                INSERT INTO subscriber_sync.log (outcome, agent) SELECT 'resumed', $1 FROM resumed
            ),
            knocked AS (SELECT pg_notify('subscriber_sync', '') FROM resumed)
            SELECT count(*) > 0 FROM knocked
            """
        ) { row throws(PostgresError) in try row.boolean(0) }
    }
}

/// What an operator may do without knowing the mapping: the pause, and its end.
public struct FleetControl: Sendable {
    let session: Session
    /// Who asks, for the log.
    let operatorName: String

    public init(session: Session, operatorName: String) {
        self.session = session
        self.operatorName = operatorName
    }

    /// Stops pushing for all agents. Also turns another pause into an operator's, which nothing ends by itself.
    ///
    /// - Parameter reason: `nil`: none, or that of an operator's pause that holds already.
    public func pause(reason: String?) async throws(StoreError) {
        try await run(FleetControl.pause, [.optionalText(reason), .text(operatorName)])
    }

    /// Starts pushing again, whatever it was paused for.
    public func resume() async throws(StoreError) {
        try await run(Store.resume, [.text("any"), .text(operatorName)])
    }

    private func run(_ statement: Statement<Void>, _ parameters: [Parameter]) async throws(StoreError) {
        do {
            _ = try await session.execute(statement, parameters)
        } catch {
            throw StoreError(error)
        }
    }

    static let pause = Statement<Void>(
        "pause",
        """
        WITH paused AS (
            UPDATE subscriber_sync.control
            SET pause_kind = 'operator',
                -- Who says pause again without a reason doesn't take the first one back.
                pause_reason = coalesce($1::text, CASE WHEN pause_kind = 'operator' THEN pause_reason END),
                paused_at = CASE WHEN pause_kind = 'operator' THEN paused_at ELSE now() END,
                probe_at = NULL, probe_failures = 0
            RETURNING pause_reason
        )
        INSERT INTO subscriber_sync.log (outcome, error_code, error, agent)
        SELECT 'paused', 'operator', pause_reason, $2 FROM paused
        """)
}
