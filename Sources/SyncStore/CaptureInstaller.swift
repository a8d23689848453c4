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
        /// What the operator should know of: a sentence each.
        public var notes: [String] = []
        /// Whether nothing is wanted on the table, and the triggers of before go.
        public var isRemoval = false

        /// As `migrate --print` shows it.
        public var script: String {
            guard !statements.isEmpty else { return "-- The triggers are as they should be: there is nothing to do.\n" }
            return (["BEGIN"] + CaptureInstaller.preparation + statements + ["COMMIT"]).map { $0 + ";\n" }.joined()
        }
    }

    /// Looks at the table and at the triggers that are there.
    public func plan(
        for source: SourceTable, comparison: CaptureDefinition.Comparison,
        notification: CaptureDefinition.Notification, firesOnReplica: Bool = false
    ) async throws(StoreError) -> Work {
        do {
            let dependencies = try await dependencies(of: source)
            let definition = CaptureDefinition(
                tables: try await tables(of: source, dependencies), comparison: comparison, notification: notification,
                firesOnReplica: firesOnReplica,
                mapping: source.mapping.captureDigest)
            let found = try await session.query(CaptureCatalogue.found)
            let stored = try await stored()
            let names = definition.tables.map(\.name.quoted)
            let owners = try await session.query(CaptureCatalogue.ownersWithoutWatch, [.textArray(names)])
            return Work(
                statements: try await changes(to: definition.functions)
                    + changes(from: found, stored, to: definition.triggers) + owners.flatMap(grants),
                table: source.name, notes: try await notes(on: source, dependencies))
        } catch {
            throw StoreError(error)
        }
    }

    /// What `migrate` wrote down; nothing where our schema isn't there yet, or is older.
    private func stored() async throws(PostgresError) -> [StoredTrigger] {
        guard try await session.query(CaptureCatalogue.hasStored).first == true else { return [] }
        return try await session.query(CaptureCatalogue.stored)
    }

    /// What has to be done to have no trigger, as for polling.
    public func removal(from source: SourceTable) async throws(StoreError) -> Work {
        do {
            let found = try await session.query(CaptureCatalogue.found)
            // So that watch() puts none back.
            let forgetting = try await stored().isEmpty ? [] : ["DELETE FROM subscriber_sync.capture_trigger"]
            return Work(statements: found.map(\.dropStatement) + forgetting, table: source.name, isRemoval: true)
        } catch {
            throw StoreError(error)
        }
    }

    /// Does it in one transaction that waits only briefly for the table: who waits for a lock in
    /// PostgreSQL makes everybody behind it wait too, so we step back and try again.
    public func apply(_ work: Work, attempts: Int = 5) async throws(StoreError) {
        guard !work.statements.isEmpty else { return }
        let script = (CaptureInstaller.preparation + work.statements).map { $0 + ";" }.joined(separator: "\n")
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

    /// What a script begins with: how long it waits for the table, and the search path under which PostgreSQL
    /// writes a trigger's definition as our functions and sessions see it.
    static let preparation = [patience, "SET LOCAL search_path = pg_catalog, pg_temp"]
    static let patience = "SET LOCAL lock_timeout = '2s'"
}

// MARK: - What has to be done

extension CaptureInstaller {
    /// Makes the functions that aren't there or have another text. It needs no lock on the table.
    private func changes(to functions: [CaptureFunction]) async throws(PostgresError) -> [String] {
        var statements: [String] = []
        for function in functions
        where try await session.query(CaptureCatalogue.functionBody, [.text(function.name)]).first != function.body {
            statements += function.statements
        }
        return statements
    }

    /// Drops triggers of ours that are on other tables or not as they should be, makes what is missing, and
    /// writes down what there is.
    private func changes(
        from found: [FoundTrigger], _ stored: [StoredTrigger], to wanted: [CaptureTrigger]
    ) -> [String] {
        let kept = wanted.filter { trigger in
            let row = stored.first { $0.makesTheSame(as: trigger) && !$0.isFallback }
            return found.contains {
                $0.table.quoted == trigger.relation && $0.name == trigger.name && $0.definition == row?.installed
                    && $0.enabled == trigger.enabled
            }
        }
        let dropped = found.filter { there in
            !kept.contains { $0.relation == there.table.quoted && $0.name == there.name }
        }
        let missing = wanted.filter { !kept.contains($0) }
        let isRecorded =
            stored.count == wanted.count
            && stored.allSatisfy { row in
                wanted.contains {
                    row.makesTheSame(as: $0) && row.part == $0.part.rawValue && row.mapping == $0.mapping
                }
            }
        guard !dropped.isEmpty || !missing.isEmpty || !isRecorded else { return [] }
        return dropped.map(\.dropStatement) + missing.flatMap(\.statements) + record(wanted)
            + (stored.isEmpty || missing.isEmpty ? [] : [CaptureInstaller.sweepRequest])
    }

    private func record(_ triggers: [CaptureTrigger]) -> [String] {
        let rows = triggers.map(\.row).joined(separator: ",\n    ")
        return [
            "DELETE FROM subscriber_sync.capture_trigger",
            """
            INSERT INTO subscriber_sync.capture_trigger
                (relation, trigger_name, part, definition, fallback, is_always, mapping, relation_oid, installed)
            SELECT made.*, f.relation_oid, f.definition
            FROM (VALUES
                \(rows)
            ) AS made(relation, trigger_name, part, definition, fallback, is_always, mapping)
            JOIN subscriber_sync.capture_trigger_found f
                ON f.relation_oid = to_regclass(made.relation) AND f.trigger_name = made.trigger_name
            """,
        ]
    }

    /// What changed while triggers were missing or others, nothing told. The first time, the first sweep comes anyway.
    private static let sweepRequest = "INSERT INTO subscriber_sync.sweep_request (reason) VALUES ('migrate')"

    /// What the owner of a table needs for its own migrations. It goes with the schema.
    private func grants(to owner: String) -> [String] {
        let role = quoteIdentifier(owner)
        return [
            "GRANT USAGE ON SCHEMA subscriber_sync TO \(role)",
            "GRANT SELECT ON subscriber_sync.capture_trigger, subscriber_sync.capture_trigger_found TO \(role)",
            "GRANT EXECUTE ON FUNCTION subscriber_sync.capture(), subscriber_sync.capture_new(), "
                + "subscriber_sync.capture_old(), subscriber_sync.capture_related(), "
                + "subscriber_sync.watched(text[], text[]), subscriber_sync.unwatch(), "
                + "subscriber_sync.watch() TO \(role)",
        ]
    }
}
