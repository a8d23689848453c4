import Postgres

/// Takes everything out of the database that `migrate` put there: the triggers first, then the schema.
public struct Uninstaller: Sendable {
    let session: Session

    public init(session: Session) { self.session = session }

    /// The statements, in order; empty where nothing of ours is there.
    public func plan() async throws(StoreError) -> [String] {
        do {
            guard try await session.query(Uninstaller.hasSchema).first == true else { return [] }
            let strangers = try await session.query(Uninstaller.dependents)
            guard strangers.isEmpty else {
                throw StoreError(
                    .database,
                    "Something else depends on the schema subscriber_sync: "
                        + strangers.joined(separator: ", ") + ".",
                    hint: "Drop it first; uninstall takes out only what subscriber-sync made.")
            }
            let triggers = try await session.query(CaptureCatalogue.found).map(\.dropStatement)
            return triggers + ["DROP SCHEMA subscriber_sync CASCADE"]
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw StoreError(.database, "The schema subscriber_sync could not be looked up.")
        }
    }

    /// All in one transaction, waiting only briefly for the users table.
    public func apply(_ statements: [String]) async throws(StoreError) {
        let script = ([CaptureInstaller.patience] + statements).map { $0 + ";" }.joined(separator: "\n")
        do {
            try await session.transaction { connection throws(PostgresError) in
                try connection.executeScript(script, name: "uninstall")
            }
        } catch {
            throw StoreError(error, doing: "uninstall")
        }
    }

    static let hasSchema = Statement<Bool>(
        "has_schema", "SELECT to_regnamespace('subscriber_sync') IS NOT NULL"
    ) { row throws(PostgresError) in try row.boolean(0) }

    /// Views and tables outside of our schema that would go with it.
    static let dependents = Statement<String>(
        "dependents",
        """
        SELECT DISTINCT n.nspname || '.' || c.relname
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_class ours ON ours.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND ours.relnamespace = to_regnamespace('subscriber_sync')
        LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
        JOIN pg_catalog.pg_class c ON c.oid = coalesce(r.ev_class, k.conrelid)
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relnamespace <> to_regnamespace('subscriber_sync')
        ORDER BY 1
        """
    ) { row throws(PostgresError) in try row.text(0) }
}
