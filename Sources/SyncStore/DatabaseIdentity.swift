import Postgres

/// What became of the database's identity since it was looked at last.
public enum DatabaseIdentity: String, Sendable, Hashable, CaseIterable {
    case same
    /// The same database on another timeline: restored to an earlier moment, or failed over. What SignalWire was told
    /// since may be news to it.
    case restored
    /// Another database or another cluster than the one that was synced: a copy, such as staging from production.
    case copied
}

extension Store {
    /// Compares this database with the one that was synced, and draws the consequences: a restored one is swept, a
    /// copied one pauses until an operator says `resume`, which makes it the one.
    ///
    /// PostgreSQL shows a copy by the cluster's identifier and the database's oid: a restored dump, a template's copy
    /// and an upgraded cluster differ, a base backup that is started as it is doesn't.
    public func checkIdentity() async throws(StoreError) -> DatabaseIdentity {
        try await query(Store.checkIdentity, [.text(agent)]).first ?? .same
    }

    static let identity = """
        (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) || '/'
            || (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database())
        """

    static let checkIdentity = Statement<DatabaseIdentity>(
        "check_identity",
        """
        WITH here AS MATERIALIZED (
            SELECT \(identity) AS identity, (SELECT timeline_id::text FROM pg_catalog.pg_control_checkpoint()) AS timeline
        ),
        found AS MATERIALIZED (
            SELECT here.*, CASE
                WHEN c.database_identity IS NULL THEN 'first'
                WHEN c.database_identity <> here.identity THEN 'copied'
                WHEN c.database_timeline <> here.timeline THEN 'restored'
                ELSE 'same' END AS what
            FROM here, subscriber_sync.control c
        ),
        noted AS (
            UPDATE subscriber_sync.control c SET database_identity = f.identity, database_timeline = f.timeline
            FROM found f WHERE f.what IN ('first', 'restored')
        ),
        asked AS (
            INSERT INTO subscriber_sync.sweep_request (reason) SELECT 'restored' FROM found f WHERE f.what = 'restored'
        ),
        paused AS (
            UPDATE subscriber_sync.control c
            SET pause_kind = 'copied', paused_at = now(), probe_at = NULL, probe_failures = 0,
                pause_reason = 'database_copied: this database is a copy of the one that was synced. '
                    || 'If it is to be synced from now on, say `subscriber-sync resume`.'
            FROM found f WHERE f.what = 'copied' AND c.pause_kind IS DISTINCT FROM 'copied'
            RETURNING c.pause_reason
        ),
        logged AS (
            INSERT INTO subscriber_sync.log (outcome, error_code, error, agent)
            SELECT 'paused', 'database_copied', p.pause_reason, $1::text FROM paused p
        )
        SELECT CASE f.what WHEN 'first' THEN 'same' ELSE f.what END FROM found f
        """
    ) { row throws(PostgresError) in DatabaseIdentity(rawValue: try row.text(0)) ?? .same }
}
