import Postgres
import SyncCore

/// What became of the wish to forget a user.
public enum Forgetting: Sendable, Hashable {
    /// Everything is erased. How many rows of the log, and whether the user had a subscriber.
    case forgotten(logRows: Int, hadSubscriber: Bool)
    /// Their row is in the table and in scope: they would be found again, and pushed.
    case inScope
    /// An agent has them in hand, at most so much longer; nothing was erased.
    case inFlight(Duration)
    /// Nothing is known of them.
    case unknown
}

extension Store {
    /// Erases everything about one person from our tables, and writes down that somebody was forgotten, without saying
    /// who.
    ///
    /// Two statements in one transaction. The first waits for the row's lock; the second sees all that was written under
    /// it before, and decides and erases in one snapshot. Whoever settles for the user later finds no row, and writes
    /// nothing; a change that an agent is just folding makes a row with the key, and nothing else.
    public func forget(_ user: UserKey) async throws(StoreError) -> Forgetting {
        let statements = statements
        let agent = agent
        do {
            return try await session.transaction { connection throws(PostgresError) in
                _ = try connection.query(Store.lockForgotten, [.text(user.text)])
                return try connection.query(statements.forget, [.text(user.text), .text(agent)]).first ?? .unknown
            }
        } catch {
            // A key that isn't of the column's type names nobody.
            if error.sqlState?.hasPrefix("22") == true { return .unknown }
            throw StoreError(error)
        }
    }

    static let lockForgotten = Statement<Bool>(
        "lock_forgotten", "SELECT true FROM subscriber_sync.subscriber s WHERE s.user_key = $1::text FOR UPDATE"
    ) { row throws(PostgresError) in try row.boolean(0) }
}

/// The statement that depends on the mapping.
enum ForgetSQL {
    /// Changes are taken with SKIP LOCKED: one that an agent folds just now is waited for by nobody. Whoever waits for
    /// the reference is due.
    static func statement(for source: SourceTable) -> Statement<Forgetting> {
        Statement(
            "forget",
            """
            WITH known AS MATERIALIZED (
                SELECT s.* FROM subscriber_sync.subscriber s WHERE s.user_key = $1::text
            ),
            verdict AS MATERIALIZED (
                SELECT CASE
                    WHEN EXISTS (
                        SELECT FROM (
                            \(source.row(ofKey: "$1::text"))
                        ) AS src WHERE src.in_scope) THEN 'in_scope'
                    WHEN EXISTS (SELECT FROM known k WHERE k.lease IS NOT NULL AND k.due_at > now()) THEN 'in_flight'
                    WHEN EXISTS (SELECT FROM known) OR
                        EXISTS (SELECT FROM subscriber_sync.log l WHERE l.user_key = $1::text) OR
                        EXISTS (SELECT FROM subscriber_sync.pair p WHERE p.user_key = $1::text) OR
                        EXISTS (SELECT FROM subscriber_sync.change c WHERE c.user_key = $1::text) THEN 'forgotten'
                    ELSE 'unknown'
                END AS verdict
            ),
            erased_changes AS (
                DELETE FROM subscriber_sync.change WHERE ctid = ANY (ARRAY(
                    SELECT c.ctid FROM subscriber_sync.change c, verdict v
                    WHERE c.user_key = $1::text AND v.verdict = 'forgotten' FOR UPDATE OF c SKIP LOCKED))
            ),
            erased_log AS (
                DELETE FROM subscriber_sync.log l USING verdict v
                WHERE l.user_key = $1::text AND v.verdict = 'forgotten' RETURNING 1
            ),
            erased_pairs AS (
                DELETE FROM subscriber_sync.pair p USING verdict v
                WHERE p.user_key = $1::text AND v.verdict = 'forgotten' RETURNING p.subscriber_id
            ),
            erased AS (
                DELETE FROM subscriber_sync.subscriber s USING verdict v
                WHERE s.user_key = $1::text AND v.verdict = 'forgotten'
                RETURNING s.subscriber_id, s.admitted_at, lower(btrim(s.reference)) AS folded
            ),
            freed AS (
                SELECT subscriber_sync.release_duplicates(array_agg(e.folded), ARRAY[$1::text])
                FROM erased e WHERE e.admitted_at IS NOT NULL HAVING count(*) > 0
            ),
            logged AS (
                INSERT INTO subscriber_sync.log (outcome, error, agent)
                SELECT 'forgotten', 'One user was forgotten.', $2::text FROM verdict v WHERE v.verdict = 'forgotten'
            )
            SELECT v.verdict, (SELECT count(*) FROM erased_log),
                EXISTS (SELECT FROM erased e WHERE e.subscriber_id IS NOT NULL)
                    OR EXISTS (SELECT FROM erased_pairs p WHERE p.subscriber_id IS NOT NULL),
                (SELECT ceil(extract(epoch FROM k.due_at - now()) * 1000)::bigint FROM known k)
            FROM verdict v WHERE (SELECT count(*) FROM freed) >= 0
            """
        ) { row throws(PostgresError) in
            switch try row.text(0) {
            case "forgotten": .forgotten(logRows: try row.integer(1), hadSubscriber: try row.boolean(2))
            case "in_scope": .inScope
            case "in_flight": .inFlight(.milliseconds(try row.optionalBigint(3) ?? 0))
            default: .unknown
            }
        }
    }
}
