import Postgres
import SyncCore

/// What the server says of itself and of our session, read at once for `doctor`.
public struct ServerFacts: Sendable, Hashable {
    public var role: String
    public var isSuperuser: Bool
    public var isStandby: Bool
    public var isReadOnly: Bool
    /// How far the server's clock is ahead of ours, and how far that may be off because the question took its time.
    public var clockAheadSeconds: Double
    public var clockDoubtSeconds: Double
    /// Whether the role sees the transactions of others.
    public var seesOthers: Bool
    /// The oldest open transaction in this database, and who has it; 0: a prepared one. `nil`: there is none.
    public var oldestTransactionSeconds: Double?
    public var oldestTransactionPID: Int?
    /// How full the queue of notifications is, from 0 to 1.
    public var notificationQueueShare: Double
    public var maxPreparedTransactions: Int

    /// Asks for them.
    ///
    /// - Parameter unixSeconds: this machine's clock.
    public static func read(
        in session: Session, unixSeconds: @Sendable () -> Double
    ) async throws(StoreError) -> ServerFacts {
        do {
            let before = unixSeconds()
            let rows = try await session.query(statement)
            let after = unixSeconds()
            guard let (serverSeconds, found) = rows.first else {
                throw StoreError(.database, "The server told nothing of the current role.")
            }
            var facts = found
            facts.clockAheadSeconds = serverSeconds - (before + after) / 2
            facts.clockDoubtSeconds = (after - before) / 2
            return facts
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw StoreError(.database, "The server could not be asked.")
        }
    }

    /// A transaction of another role shows its age only to who may see all statistics.
    static let statement = Statement<(Double, ServerFacts)>(
        "server_facts",
        """
        WITH open AS (
            SELECT extract(epoch FROM clock_timestamp() - a.xact_start)::double precision AS age, a.pid
            FROM pg_catalog.pg_stat_activity a
            WHERE a.pid <> pg_backend_pid() AND a.datname = current_database() AND a.backend_type = 'client backend'
                AND a.xact_start IS NOT NULL
            UNION ALL
            SELECT extract(epoch FROM clock_timestamp() - p.prepared)::double precision, 0
            FROM pg_catalog.pg_prepared_xacts p WHERE p.database = current_database()
        ),
        oldest AS (SELECT age, pid FROM open ORDER BY age DESC LIMIT 1)
        SELECT extract(epoch FROM clock_timestamp())::double precision, r.rolname, r.rolsuper, pg_is_in_recovery(),
            current_setting('transaction_read_only') = 'on', pg_has_role('pg_read_all_stats', 'USAGE'),
            (SELECT age FROM oldest), (SELECT pid::bigint FROM oldest), pg_notification_queue_usage(),
            current_setting('max_prepared_transactions')::bigint
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
        """
    ) { row throws(PostgresError) in
        let facts = ServerFacts(
            role: try row.text(1), isSuperuser: try row.boolean(2), isStandby: try row.boolean(3),
            isReadOnly: try row.boolean(4), clockAheadSeconds: 0, clockDoubtSeconds: 0, seesOthers: try row.boolean(5),
            oldestTransactionSeconds: try row.optionalDouble(6), oldestTransactionPID: try row.optionalInteger(7),
            notificationQueueShare: try row.double(8), maxPreparedTransactions: try row.integer(9))
        return (try row.double(0), facts)
    }
}
