import Postgres

/// The counts of users by status, which triggers on `subscriber` keep (the decision "Counted as they change").
///
/// They are wrong only where rows were written past the triggers: a restore of data alone, or a session with
/// `session_replication_role = replica`.
public enum Tally {
    /// The statuses whose count isn't what the table says, in one snapshot. It reads the whole table.
    public static func miscounted(in session: Session) async throws(StoreError) -> [String] {
        do { return try await session.query(miscounted) } catch { throw StoreError(error) }
    }

    /// Counts everybody anew. Agents wait meanwhile, for as long as it takes to read the table.
    public static func recount(in session: Session) async throws(StoreError) {
        do { _ = try await session.query(recount) } catch { throw StoreError(error) }
    }

    static let miscounted = Statement<String>(
        "miscounted",
        """
        SELECT coalesce(counted.status, there.status)
        FROM (SELECT t.status, sum(t.users)::bigint AS users FROM subscriber_sync.tally t GROUP BY t.status) AS counted
        FULL JOIN (SELECT s.status, count(*) AS users FROM subscriber_sync.subscriber s GROUP BY s.status) AS there
            ON there.status = counted.status
        WHERE coalesce(counted.users, 0) <> coalesce(there.users, 0)
        ORDER BY 1
        """
    ) { row throws(PostgresError) in try row.text(0) }

    static let recount = Statement<Void>("recount", "SELECT subscriber_sync.recount()")
}
