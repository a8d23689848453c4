import Crypto
import Migrations
import Postgres

/// Brings the schema `subscriber_sync` up to date, and says where it stands.
///
/// Migrations run one after the other under an advisory lock, each in a transaction with its row in
/// the ledger: twenty at once apply each of them once, and one that fails leaves nothing behind.
public struct Migrator: Sendable {
    let session: Session
    let migrations: [Migration]
    /// The version of this program, for the ledger.
    let program: String

    public init(session: Session, migrations: [Migration] = Migration.all, program: String = "development") {
        self.session = session
        self.migrations = migrations
        self.program = program
    }

    /// The newest schema that this program knows.
    public var newest: Int { migrations.last?.version ?? 0 }

    /// What would be applied, in order.
    public func pending() async throws(StoreError) -> [Migration] {
        let applied = try await ledger()
        try check(applied, upTo: newest)
        let versions = Set(applied.map(\.version))
        return migrations.filter { !versions.contains($0.version) }
    }

    /// Applies what is pending.
    ///
    /// - Returns: what this call applied; another that ran at the same time may have applied the rest.
    public func migrate() async throws(StoreError) -> [Migration] {
        var applied: [Migration] = []
        for migration in try await pending() where try await apply(migration) { applied.append(migration) }
        return applied
    }

    /// How many migrations newer than this program's newest the schema may be for work, though not for migrating.
    ///
    /// Each migration leaves the programs of the version before it able to work, so that agents are upgraded one
    /// after the other (the decision "Rolling upgrades").
    public static let toleratedLead = 1

    /// Refuses a schema that is missing, older, too new, or not what this program would have made.
    public func checkSchema() async throws(StoreError) {
        let applied = try await ledger()
        guard !applied.isEmpty else {
            throw StoreError(
                .schema, "The schema subscriber_sync doesn't exist in this database.",
                hint: "Run `subscriber-sync migrate` first.")
        }
        try check(applied, upTo: newest + Migrator.toleratedLead)
        let version = applied.map(\.version).max() ?? 0
        guard version >= newest else {
            throw StoreError(
                .schema, "The schema subscriber_sync has version \(version), and this program needs \(newest).",
                hint: "Run `subscriber-sync migrate`.")
        }
    }

    /// The SQL of migrations, as `migrate --print` shows it.
    ///
    /// - Parameter pending: what isn't applied yet; `nil`: nobody knows, so all of them.
    public func script(of pending: [Migration]? = nil) -> String {
        guard pending?.isEmpty != true else {
            return "-- The schema subscriber_sync is up to date: there is nothing to apply.\n"
        }
        return (pending ?? migrations).map { migration in
            """
            -- \(migration.fileName)
            BEGIN;
            \(migration.sql)
            \(recordSQL(migration));
            COMMIT;

            """
        }.joined(separator: "\n")
    }

    /// Compares what was applied with what this program knows.
    ///
    /// - Parameter limit: the newest version that is let through; of one above `newest` nothing is known to compare.
    private func check(_ applied: [LedgerRow], upTo limit: Int) throws(StoreError) {
        if let row = applied.last, let refusal = Migrator.refusal(of: row, newest: newest, upTo: limit) {
            throw refusal
        }
        for row in applied where row.version <= newest {
            guard let migration = migrations.first(where: { $0.version == row.version }) else {
                throw StoreError(
                    .schema, "The schema subscriber_sync has a migration \(row.version) that this program lacks.",
                    hint: "Use the version of subscriber-sync that applied it (\(row.program)).")
            }
            guard Migrator.checksum(migration) == row.checksum else {
                throw StoreError(
                    .schema, "Migration \(migration.fileName) is not the one that was applied to this database.",
                    hint: "Applied migrations never change; use a released version of subscriber-sync, "
                        + "or uninstall and migrate again.")
            }
        }
    }

    /// Why a program that knows the schemas up to `newest` refuses one whose last migration is this; `nil`: it doesn't.
    static func refusal(of last: LedgerRow, newest: Int, upTo limit: Int) -> StoreError? {
        guard last.version > limit else { return nil }
        return StoreError(
            .schema,
            limit == newest
                ? "The schema subscriber_sync has version \(last.version), which is newer than this program knows "
                    + "(\(newest))."
                : "The schema subscriber_sync has version \(last.version), and this program works with versions "
                    + "\(newest) and \(limit).",
            hint: "Use the version of subscriber-sync that applied it (\(last.program)), or a later one.")
    }

    /// Running agents use the tables that a migration changes, in another order than it does. Where PostgreSQL ends
    /// the migration for that, it is done anew: it is a transaction of its own.
    ///
    /// - Returns: `false` where somebody else had applied it meanwhile.
    private func apply(_ migration: Migration) async throws(StoreError) -> Bool {
        for attempt in 1... {
            do {
                return try await applyOnce(migration)
            } catch {
                guard error.isOvertaken, attempt < Migrator.mostAttempts else { throw error }
            }
        }
        return false
    }

    private static let mostAttempts = 10

    private func applyOnce(_ migration: Migration) async throws(StoreError) -> Bool {
        let record = recordSQL(migration)
        do {
            return try await session.transaction { connection throws(PostgresError) in
                _ = try connection.query(Migrator.lock)
                let exists = try connection.query(Migrator.hasLedger).first == true
                let versions = exists ? try connection.query(Migrator.readLedger).map(\.version) : []
                if versions.contains(migration.version) { return false }
                try connection.executeScript(migration.sql, name: migration.fileName)
                try connection.executeScript(record, name: "record \(migration.fileName)")
                return true
            }
        } catch {
            throw StoreError(error, doing: "apply \(migration.fileName)")
        }
    }

    private func ledger() async throws(StoreError) -> [LedgerRow] {
        do {
            guard try await session.query(Migrator.hasLedger).first == true else { return [] }
            return try await session.query(Migrator.readLedger)
        } catch {
            throw StoreError(error)
        }
    }

    private func recordSQL(_ migration: Migration) -> String {
        """
        INSERT INTO subscriber_sync.migration (version, name, checksum, applied_by) VALUES (\(migration.version), \
        \(quoteLiteral(migration.name)), \(quoteLiteral(Migrator.checksum(migration))), \(quoteLiteral(program)))
        """
    }

    static func checksum(_ migration: Migration) -> String {
        SHA256.hash(data: Array(migration.sql.utf8)).reduce(into: "") { hex, byte in
            hex += byte < 16 ? "0" : ""
            hex += String(byte, radix: 16)
        }
    }
}

/// One row of the ledger.
struct LedgerRow: Sendable {
    let version: Int
    let checksum: String
    let program: String
}

extension Migrator {
    /// Waits for another migrator; the number is ours (the first of the pair also guards NOTIFY and admissions).
    static let lock = Statement<Void>("migration_lock", "SELECT pg_advisory_xact_lock(1937072755, 3)")

    /// Reads the catalogue's tables themselves: after waiting for another migrator, the caches behind
    /// `to_regclass` may still hold that there is no such table, until the statement locks one.
    static let hasLedger = Statement<Bool>(
        "has_ledger",
        """
        SELECT EXISTS (
            SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'subscriber_sync' AND c.relname = 'migration')
        """
    ) { row throws(PostgresError) in try row.boolean(0) }

    static let readLedger = Statement<LedgerRow>(
        "read_ledger", "SELECT version, checksum, applied_by FROM subscriber_sync.migration ORDER BY version",
        decode: row)

    static let newestApplied = Statement<LedgerRow>(
        "newest_applied",
        "SELECT version, checksum, applied_by FROM subscriber_sync.migration ORDER BY version DESC LIMIT 1",
        decode: row)

    private static let row: @Sendable (borrowing RowReader) throws(PostgresError) -> LedgerRow = {
        row throws(PostgresError) in
        LedgerRow(version: try row.integer(0), checksum: try row.text(1), program: try row.text(2))
    }
}

extension StoreError {
    /// A failure while changing the schema: rights are what is missing most often.
    init(_ error: PostgresError, doing what: String) {
        let needsRights = error.sqlState == "42501"
        self.init(
            .database, "Could not \(what): \(error.message)",
            hint: needsRights
                ? "The role needs CREATE on the database, and must own the source table or have TRIGGER on it."
                : error.hint,
            isTransient: error.isConnectionLoss || error.sqlState == "55P03",
            isOvertaken: StoreError.overtaken.contains(error.sqlState ?? ""))
    }

    /// It exists already, or no longer; its row was written by another; or two were in each other's way.
    private static let overtaken: Set<String> = ["42710", "42723", "42704", "23505", "XX000", "40P01", "40001"]
}
