import Postgres
import SyncCore

/// Whether the triggers still tell of every change, as far as the catalogue shows.
public enum CaptureHealth: Sendable, Hashable {
    case intact
    /// What is wrong, in a sentence, and what to do.
    case broken(String, hint: String)
}

extension Store {
    /// Compares the triggers with what `migrate` left, and the tables with what it found. One look at the catalogue,
    /// cheap enough for every few seconds.
    public func captureHealth() async throws(StoreError) -> CaptureHealth {
        let findings = try await query(
            Store.captureFindings, [.text(source.name.quoted), .text(source.mapping.captureDigest)])
        return findings.first?.health ?? .intact
    }

    /// What is wrong first: $1 the source table, $2 the digest of the mapping.
    ///
    /// `pg_get_triggerdef` needs the table for a moment, so this waits where a migration of the application has it.
    static let captureFindings = Statement<CaptureFinding>(
        "capture_findings",
        """
        WITH stored AS MATERIALIZED (
            SELECT c.*, to_regclass(c.relation) AS place FROM subscriber_sync.capture_trigger c
        ),
        found AS MATERIALIZED (SELECT * FROM subscriber_sync.capture_trigger_found),
        there AS MATERIALIZED (
            SELECT s.relation, s.place, s.part, s.trigger_name, s.is_always, s.installed, f.trigger_oid, f.definition,
                f.enabled, f.names_columns
            FROM stored s LEFT JOIN found f ON f.relation_oid = s.place AND f.trigger_name = s.trigger_name
            -- A table that inherited may be gone like its rows.
            WHERE s.place IS NOT NULL
        ),
        family AS (
            WITH RECURSIVE heirs AS (
                SELECT s.place::oid AS id FROM stored s WHERE s.part <> 'child' AND s.place IS NOT NULL
                UNION
                SELECT i.inhrelid FROM heirs h
                JOIN pg_catalog.pg_inherits i ON i.inhparent = h.id
                JOIN pg_catalog.pg_class heir ON heir.oid = i.inhrelid AND NOT heir.relispartition
            )
            SELECT id FROM heirs
        )
        SELECT what, relation, detail FROM (
            SELECT 1 AS rank, 'never_installed' AS what, $1::text AS relation, NULL::text AS detail
            WHERE NOT EXISTS (SELECT FROM stored)
            UNION ALL
            SELECT 2, 'other_mapping', s.relation, NULL FROM stored s WHERE s.mapping <> $2::text
            UNION ALL
            SELECT 3, 'moved', s.relation, f.relation_oid::regclass::text
            FROM stored s JOIN found f ON f.relation_oid = s.relation_oid AND f.trigger_name = s.trigger_name
            WHERE s.place IS DISTINCT FROM s.relation_oid::regclass
            UNION ALL
            SELECT 4, 'no_table', s.relation, NULL FROM stored s WHERE s.place IS NULL AND s.part <> 'child'
            UNION ALL
            SELECT 5, 'no_triggers', t.relation, NULL FROM there t GROUP BY t.relation HAVING count(t.trigger_oid) = 0
            UNION ALL
            SELECT 6, 'missing', t.relation, t.trigger_name FROM there t WHERE t.trigger_oid IS NULL
            UNION ALL
            SELECT 7, 'switched', t.relation, t.trigger_name FROM there t
            WHERE t.enabled <> CASE WHEN t.is_always THEN 'A' ELSE 'O' END
            UNION ALL
            SELECT 8, 'altered', t.relation, t.trigger_name FROM there t WHERE t.definition <> t.installed
            UNION ALL
            SELECT 9, 'before_trigger', t.relation, b.tgname::text
            FROM there t JOIN pg_catalog.pg_trigger b ON b.tgrelid = t.place
                OR b.tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(t.place))
            WHERE t.names_columns AND NOT b.tgisinternal AND b.tgenabled <> 'D' AND (b.tgtype & 1) > 0
                AND (b.tgtype & 2) > 0 AND (b.tgtype & 16) > 0
            UNION ALL
            SELECT 10, 'new_child', f.id::regclass::text, NULL FROM family f
            WHERE NOT EXISTS (SELECT FROM stored s WHERE s.place = f.id)
        ) AS finding
        ORDER BY rank, relation, detail LIMIT 1
        """
    ) { row throws(PostgresError) in
        CaptureFinding(
            what: CaptureFinding.What(rawValue: try row.text(0)) ?? .altered,
            relation: try row.text(1).split(separator: "\"", omittingEmptySubsequences: true).joined(),
            detail: try row.optionalText(2) ?? "")
    }
}

/// One thing that is wrong with the triggers.
struct CaptureFinding: Sendable {
    /// The raw values stand in the statement.
    enum What: String, Sendable, CaseIterable {
        case neverInstalled = "never_installed"
        case otherMapping = "other_mapping"
        case moved
        case noTable = "no_table"
        case noTriggers = "no_triggers"
        case missing
        case switched
        case altered
        case beforeTrigger = "before_trigger"
        case newChild = "new_child"
    }

    let what: What
    /// The table, as people write it.
    let relation: String
    /// Another table, or a trigger.
    let detail: String

    var health: CaptureHealth {
        switch what {
        case .neverInstalled: .broken("\(relation) has no triggers of ours yet.", hint: Self.migrate)
        case .otherMapping:
            .broken("The triggers watch another mapping than the settings have now.", hint: Self.migrate)
        case .moved:
            .broken(
                "The triggers are on \(detail) now; \(relation) is another table or none.", hint: Self.migrate)
        case .noTable: .broken("There is no table \(relation) any more.", hint: Self.remap)
        case .noTriggers: .broken("\(relation) has lost all triggers of ours.", hint: Self.watch)
        case .missing: .broken("\(relation) has lost the trigger \(detail).", hint: Self.watch)
        case .switched: .broken("The trigger \(detail) on \(relation) is switched off or over.", hint: Self.watch)
        case .altered: .broken("The trigger \(detail) on \(relation) is not the one that was made.", hint: Self.watch)
        case .beforeTrigger:
            .broken(
                "\(relation) has a BEFORE UPDATE trigger now (\(detail)), and what it changes may escape ours.",
                hint: Self.migrate)
        case .newChild:
            .broken("\(relation) inherits from a watched table and has no triggers of ours.", hint: Self.migrate)
        }
    }

    private static let migrate = "Run `subscriber-sync migrate`."
    private static let watch = "Run `SELECT subscriber_sync.watch();` in the database, or `subscriber-sync migrate`."
    private static let remap = "If it has another name now, set that in the settings and run `subscriber-sync migrate`."
}
