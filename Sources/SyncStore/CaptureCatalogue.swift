import Postgres

/// A trigger of ours as the catalogue has it.
struct FoundTrigger: Sendable {
    let name: String
    let table: QualifiedName
    /// As PostgreSQL writes it.
    let definition: String
    /// Of `pg_trigger`; `?` where the copy on a partition differs.
    let enabled: String

    var dropStatement: String { "DROP TRIGGER \(quoteIdentifier(name)) ON \(table.quoted)" }
}

/// A trigger as `migrate` wrote it down.
struct StoredTrigger: Sendable {
    let relation: String
    let name: String
    let part: String
    let definition: String
    let fallback: String?
    let isAlways: Bool
    let mapping: String
    let installed: String
    let isFallback: Bool

    /// Whether the same statements make it.
    func makesTheSame(as trigger: CaptureTrigger) -> Bool {
        relation == trigger.relation && name == trigger.name && definition == trigger.sql
            && fallback == trigger.fallback && isAlways == trigger.isAlways
    }
}

/// What is asked of PostgreSQL's catalogue before triggers are made or dropped.
enum CaptureCatalogue {
    /// The triggers on the application's tables that call our functions, but for the copies that PostgreSQL makes on
    /// partitions. Doesn't need anything of ours in the database; `subscriber_sync.capture_trigger_found` says the same.
    static let found = Statement<FoundTrigger>(
        "found_triggers",
        """
        SELECT t.tgname, n.nspname, c.relname, pg_get_triggerdef(t.oid),
            CASE WHEN c.relkind = 'p' AND EXISTS (
                    SELECT FROM pg_catalog.pg_trigger copy
                    WHERE copy.tgname = t.tgname AND copy.tgenabled <> t.tgenabled
                        AND copy.tgrelid IN (SELECT tree.relid FROM pg_catalog.pg_partition_tree(t.tgrelid) tree))
                THEN '?' ELSE t.tgenabled::text END
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'subscriber_sync'
        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'subscriber_sync'
        WHERE t.tgparentid = 0
        ORDER BY n.nspname, c.relname, t.tgname
        """
    ) { row throws(PostgresError) in
        FoundTrigger(
            name: try row.text(0), table: QualifiedName(schema: try row.text(1), name: try row.text(2)),
            definition: try row.text(3), enabled: try row.text(4))
    }

    static let hasStored = Statement<Bool>(
        "has_stored_triggers", "SELECT to_regclass('subscriber_sync.capture_trigger') IS NOT NULL"
    ) { row throws(PostgresError) in try row.boolean(0) }

    static let stored = Statement<StoredTrigger>(
        "stored_triggers",
        """
        SELECT relation, trigger_name, part, definition, fallback, is_always, mapping, installed, is_fallback
        FROM subscriber_sync.capture_trigger ORDER BY relation, trigger_name
        """
    ) { row throws(PostgresError) in
        StoredTrigger(
            relation: try row.text(0), name: try row.text(1), part: try row.text(2), definition: try row.text(3),
            fallback: try row.optionalText(4), isAlways: try row.boolean(5), mapping: try row.text(6),
            installed: try row.text(7), isFallback: try row.boolean(8))
    }

    /// A table, and what of it bears on its triggers. In `tgtype`, 1 is ROW, 2 is BEFORE, 16 is UPDATE; a trigger
    /// of that kind on a partition counts for the table.
    struct Relation: Sendable {
        let name: QualifiedName
        let isPartitioned: Bool
        let hasBeforeUpdateTrigger: Bool
    }

    /// The table $1 first, then those that inherit from it, at any depth. Partitions aren't among them.
    static let family = Statement<Relation>(
        "capture_family",
        """
        WITH RECURSIVE family AS (
            SELECT $1::text::regclass::oid AS id, 0 AS depth
            UNION
            SELECT i.inhrelid, f.depth + 1 FROM family f
            JOIN pg_catalog.pg_inherits i ON i.inhparent = f.id
            JOIN pg_catalog.pg_class heir ON heir.oid = i.inhrelid AND NOT heir.relispartition
        )
        SELECT n.nspname, c.relname, c.relkind = 'p', EXISTS (
            SELECT FROM pg_catalog.pg_trigger t
            WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 1) > 0 AND (t.tgtype & 2) > 0
                AND (t.tgtype & 16) > 0
                AND (t.tgrelid = c.oid OR t.tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid))))
        FROM (SELECT id, min(depth) AS depth FROM family GROUP BY id) AS f
        JOIN pg_catalog.pg_class c ON c.oid = f.id
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        ORDER BY f.depth, n.nspname, c.relname
        """
    ) { row throws(PostgresError) in
        Relation(
            name: QualifiedName(schema: try row.text(0), name: try row.text(1)), isPartitioned: try row.boolean(2),
            hasBeforeUpdateTrigger: try row.boolean(3))
    }

    /// Owners of the tables $1 who can't call watch() yet, though they are neither superusers nor as good as the
    /// owner of our schema.
    static let ownersWithoutWatch = Statement<String>(
        "owners_without_watch",
        """
        SELECT DISTINCT r.rolname
        FROM unnest($1::text[]) AS given(name)
        JOIN pg_catalog.pg_class c ON c.oid = to_regclass(given.name)
        JOIN pg_catalog.pg_roles r ON r.oid = c.relowner AND NOT r.rolsuper
        WHERE NOT pg_has_role(r.oid, coalesce(
                (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'subscriber_sync'),
                (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)), 'USAGE')
            AND NOT coalesce(has_function_privilege(r.oid, to_regprocedure('subscriber_sync.watch()'), 'EXECUTE'), false)
        ORDER BY 1
        """
    ) { row throws(PostgresError) in try row.text(0) }

    /// A column of the source, and how its values are compared.
    struct ColumnType: Sendable, Hashable {
        let name: String
        /// The type's own equality says the same as that of the texts.
        let isPlain: Bool
        /// Blank-padded: its text comes with blanks that `::text` takes off.
        let isPadded: Bool
    }

    static let columnTypes = Statement<ColumnType>(
        "capture_column_types",
        """
        SELECT a.attname,
            t.typtype = 'e' OR (n.nspname = 'pg_catalog' AND t.typname IN (
                'bool', 'int2', 'int4', 'int8', 'oid', 'uuid', 'bytea', 'date', 'timestamp', 'timestamptz')),
            n.nspname = 'pg_catalog' AND t.typname = 'bpchar'
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
        """
    ) { row throws(PostgresError) in
        ColumnType(name: try row.text(0), isPlain: try row.boolean(1), isPadded: try row.boolean(2))
    }

    /// Whether an index of the table $1 begins with the column $2.
    static let isIndexed = Statement<Bool>(
        "is_column_indexed",
        """
        SELECT EXISTS (
            SELECT FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
            WHERE i.indrelid = $1::text::regclass AND a.attname = $2 AND i.indisvalid)
        """
    ) { row throws(PostgresError) in try row.boolean(0) }

    /// The text of a function of ours.
    static let functionBody = Statement<String>(
        "capture_function_body",
        """
        SELECT p.prosrc FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'subscriber_sync' AND p.proname = $1
        """
    ) { row throws(PostgresError) in try row.text(0) }

    /// A column that is read of a user.
    struct Dependency: Sendable, Hashable {
        let table: QualifiedName
        let column: String
    }

    /// The columns that our temporary view depends on, also by way of other views. A materialized view is where it
    /// ends: it changes when it is refreshed.
    static let dependencies = Statement<Dependency>(
        "capture_dependencies",
        """
        WITH RECURSIVE views AS (
            SELECT 'pg_temp.subscriber_sync_view'::regclass::oid AS id
            UNION
            SELECT c.oid FROM views v
            JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.id
            JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.id
            JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind = 'v'
        )
        SELECT DISTINCT n.nspname, c.relname, a.attname
        FROM views v
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.id
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
        JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind <> 'v'
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        ORDER BY 1, 2, 3
        """
    ) { row throws(PostgresError) in
        Dependency(
            table: QualifiedName(schema: try row.text(0), name: try row.text(1)), column: try row.text(2))
    }
}
