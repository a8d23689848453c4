import Postgres
import SyncCore

/// Puts the triggers on the source table, and takes them off again.
public struct CaptureInstaller: Sendable {
    let session: Session

    public init(session: Session) { self.session = session }

    /// What has to be done to have the triggers as the settings ask for them.
    public struct Work: Sendable {
        /// Each is one statement. Empty: everything is as it should be.
        public let statements: [String]
        /// The table they concern.
        public let table: QualifiedName
        /// Whether nothing is wanted on the table, and the triggers of before go.
        public var isRemoval = false

        /// As `migrate --print` shows it.
        public var script: String {
            guard !statements.isEmpty else { return "-- The triggers are as they should be: there is nothing to do.\n" }
            return (["BEGIN", CaptureInstaller.patience] + statements + ["COMMIT"]).map { $0 + ";\n" }.joined()
        }
    }

    /// Looks at the table and at the triggers that are there.
    public func plan(
        for source: SourceTable, comparison: CaptureDefinition.Comparison, notification: CaptureDefinition.Notification
    ) async throws(StoreError) -> Work {
        do {
            let watched = try await watchedColumns(of: source)
            let hasBeforeTrigger =
                try await session.query(
                    CaptureInstaller.hasBeforeTrigger, [.text(source.name.quoted)]
                ).first == true
            let definition = CaptureDefinition(
                table: source.name, key: source.mapping.key, watched: watched, hasBeforeUpdateTrigger: hasBeforeTrigger,
                comparison: comparison, notification: notification)
            let present = try await session.query(CaptureInstaller.ourTriggers)
            return Work(statements: changes(from: present, to: definition), table: source.name)
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw StoreError(.database, "The triggers could not be looked up.")
        }
    }

    /// What has to be done to have no trigger, as for polling.
    public func removal(from source: SourceTable) async throws(StoreError) -> Work {
        do {
            let present = try await session.query(CaptureInstaller.ourTriggers)
            return Work(statements: present.map(\.dropStatement), table: source.name, isRemoval: true)
        } catch {
            throw StoreError(error)
        }
    }

    /// Does it in one transaction that waits only briefly for the table: who waits for a lock in
    /// PostgreSQL makes everybody behind it wait too, so we step back and try again.
    public func apply(_ work: Work, attempts: Int = 5) async throws(StoreError) {
        guard !work.statements.isEmpty else { return }
        let script = ([CaptureInstaller.patience] + work.statements).map { $0 + ";" }.joined(separator: "\n")
        for attempt in 1... {
            do {
                try await session.transaction { connection throws(PostgresError) in
                    try connection.executeScript(script, name: "install capture")
                }
                return
            } catch {
                guard error.sqlState == "55P03", attempt < attempts else {
                    throw busy(error, work.table) ?? StoreError(error, doing: "install the triggers on \(work.table)")
                }
                try? await Task.sleep(for: .milliseconds(300 * attempt))
            }
        }
    }

    private func busy(_ error: PostgresError, _ table: QualifiedName) -> StoreError? {
        guard error.sqlState == "55P03" else { return nil }
        return StoreError(
            .database, "The table \(table) was locked by long transactions, so its triggers were not changed.",
            hint: "Nothing was changed and nobody had to wait for long; try again when it is quieter, or look for "
                + "the oldest transaction in pg_stat_activity.",
            isTransient: true)
    }

    /// Drops triggers of ours that are on other tables or not as they should be, and makes what is missing.
    private func changes(from present: [PresentTrigger], to definition: CaptureDefinition) -> [String] {
        let wanted = definition.triggers
        let kept = present.filter { trigger in
            trigger.table == definition.table
                && wanted.contains { $0.name == trigger.name && $0.digest == trigger.comment }
        }
        let dropped = present.filter { trigger in
            !kept.contains { $0.table == trigger.table && $0.name == trigger.name }
        }
        let missing = wanted.filter { trigger in !kept.contains { $0.name == trigger.name } }
        return dropped.map(\.dropStatement)
            + missing.flatMap { trigger in
                [
                    trigger.sql,
                    "COMMENT ON TRIGGER \(trigger.name) ON \(definition.table.quoted) IS \(quoteLiteral(trigger.digest))",
                ]
            }
    }

    /// The mapped columns, the reference, and whatever columns `source.where` reads.
    private func watchedColumns(of source: SourceTable) async throws -> [String] {
        var columns = source.mapping.columns
        if let scope = source.mapping.scope {
            for column in try await scopeColumns(scope, source) where !columns.contains(column) {
                columns.append(column)
            }
        }
        return columns.filter { $0 != source.mapping.key || $0 == source.mapping.reference }
    }

    /// The database knows what an expression reads: a view of it depends on those columns.
    private func scopeColumns(_ scope: String, _ source: SourceTable) async throws(PostgresError) -> [String] {
        let view = """
            CREATE TEMPORARY VIEW subscriber_sync_scope AS
            SELECT 1 AS one FROM \(source.name.quoted) WHERE \(bracketed(scope))
            """
        return try await session.transaction { connection throws(PostgresError) in
            try connection.executeScript(view, name: "scope view")
            let columns = try connection.query(CaptureInstaller.columnsOfScope, [.text(source.name.quoted)])
            try connection.executeScript("DROP VIEW pg_temp.subscriber_sync_scope", name: "drop scope view")
            return columns
        }
    }

    /// How long the installation waits for the table.
    static let patience = "SET LOCAL lock_timeout = '2s'"
}

/// A trigger of ours as the catalogue has it.
struct PresentTrigger: Sendable {
    let name: String
    let table: QualifiedName
    let comment: String?

    var dropStatement: String { "DROP TRIGGER \(quoteIdentifier(name)) ON \(table.quoted)" }
}

extension CaptureInstaller {
    /// The triggers that call our function, but for the copies that PostgreSQL makes on partitions.
    static let ourTriggers = Statement<PresentTrigger>(
        "our_triggers",
        """
        SELECT t.tgname, n.nspname, c.relname, d.description
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'subscriber_sync'
        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
        WHERE NOT t.tgisinternal AND p.proname = 'capture' AND t.tgparentid = 0
        ORDER BY n.nspname, c.relname, t.tgname
        """
    ) { row throws(PostgresError) in
        PresentTrigger(
            name: try row.text(0), table: QualifiedName(schema: try row.text(1), name: try row.text(2)),
            comment: try row.optionalText(3))
    }

    /// On the table or on any of its partitions. In `tgtype`, 1 is ROW, 2 is BEFORE, 16 is UPDATE.
    static let hasBeforeTrigger = Statement<Bool>(
        "has_before_trigger",
        """
        SELECT EXISTS (
            SELECT FROM pg_catalog.pg_trigger t
            WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 1) > 0 AND (t.tgtype & 2) > 0
                AND (t.tgtype & 16) > 0
                AND (t.tgrelid = $1::text::regclass
                    OR t.tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::text::regclass))))
        """
    ) { row throws(PostgresError) in try row.boolean(0) }

    static let columnsOfScope = Statement<String>(
        "columns_of_scope",
        """
        SELECT DISTINCT a.attname
        FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE r.ev_class = 'pg_temp.subscriber_sync_scope'::regclass AND d.refobjid = $1::text::regclass
            AND d.refobjsubid > 0
        ORDER BY 1
        """
    ) { row throws(PostgresError) in try row.text(0) }
}
