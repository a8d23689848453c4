import Postgres
import SyncCore

/// What the catalogue and the statistics say of our own schema, read for `doctor`.
public struct SchemaFacts: Sendable, Hashable {
    /// A right that the role lacks and an agent needs.
    public struct Lack: Sendable, Hashable {
        public var privilege: String
        /// `SCHEMA`, `TABLE`, `SEQUENCE` or `FUNCTION`, as GRANT has it.
        public var kind: String
        public var object: String

        public init(_ privilege: String, on kind: String, _ object: String) {
            self.privilege = privilege
            self.kind = kind
            self.object = object
        }
    }

    public var role: String
    public var exists: Bool
    public var lacks: [Lack]

    /// Looks which rights are missing. Needs none itself.
    public static func read(in session: Session) async throws(StoreError) -> SchemaFacts {
        do {
            let role = try await session.query(SourceFacts.currentRole).first ?? ""
            let exists = try await session.query(Uninstaller.hasSchema).first == true
            let lacks = exists ? try await session.query(missingRights) : []
            return SchemaFacts(role: role, exists: exists, lacks: lacks)
        } catch {
            throw StoreError(error)
        }
    }

    /// An agent reads and writes every table but the ledger and what `migrate` wrote down, calls every function but
    /// the triggers' own and those for the owners of tables, and draws from the sequences that no column owns.
    static let missingRights = Statement<Lack>(
        "missing_rights",
        """
        WITH ours AS MATERIALIZED (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'subscriber_sync'),
        -- Looked up first: the functions that tell of rights fail on what is of another kind.
        relations AS MATERIALIZED (
            SELECT c.oid, c.relname, c.relkind FROM pg_catalog.pg_class c JOIN ours ON ours.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'S') AND NOT c.relispartition
        )
        SELECT privilege, kind, object FROM (
            SELECT 1 AS rank, 'USAGE' AS privilege, 'SCHEMA' AS kind, 'subscriber_sync' AS object
            FROM ours WHERE NOT has_schema_privilege(ours.oid, 'USAGE')
            UNION ALL
            SELECT 2, right_to.privilege, 'TABLE', 'subscriber_sync.' || quote_ident(c.relname)
            FROM relations c
            CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS right_to(privilege)
            WHERE c.relkind <> 'S' AND NOT has_table_privilege(c.oid, right_to.privilege)
                AND (right_to.privilege = 'SELECT'
                    OR (c.relkind <> 'v' AND c.relname NOT IN ('migration', 'capture_trigger')))
            UNION ALL
            SELECT 3, 'USAGE', 'SEQUENCE', 'subscriber_sync.' || quote_ident(c.relname)
            FROM relations c
            WHERE CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE') END
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
            UNION ALL
            SELECT 4, 'EXECUTE', 'FUNCTION', p.oid::regprocedure::text
            FROM pg_catalog.pg_proc p JOIN ours ON ours.oid = p.pronamespace
            WHERE NOT has_function_privilege(p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype
                AND p.proname NOT IN ('unwatch', 'watch', 'watched')
        ) AS missing
        ORDER BY rank, object, privilege
        """
    ) { row throws(PostgresError) in
        Lack(try row.text(0), on: try row.text(1), try row.text(2))
    }
}

extension SchemaFacts {
    /// Whether an agent under this role could do all of its work.
    public var rightsCheck: Check {
        guard exists else {
            return .skipped("rights", "Not looked at, because the schema subscriber_sync isn't there.")
        }
        guard !lacks.isEmpty else { return .ok("rights", "The role \(role) may do all that an agent does.") }
        let named = lacks.prefix(4).map { "\($0.privilege) on \($0.object)" }.joined(separator: ", ")
        let rest = lacks.count > 4 ? " and \(lacks.count - 4) more" : ""
        return .fail(
            "rights", "The role \(role) lacks \(named)\(rest).",
            hint: "Grant it as the owner of the schema; deploy/grants.sql has all of it.",
            remedy: grants.joined(separator: " "))
    }

    /// One statement for each object.
    private var grants: [String] {
        var order: [String] = []
        var privileges: [String: [String]] = [:]
        for lack in lacks {
            let target = "\(lack.kind) \(lack.object)"
            if privileges[target] == nil { order.append(target) }
            privileges[target, default: []].append(lack.privilege)
        }
        return order.map { target in
            "GRANT \(privileges[target, default: []].joined(separator: ", ")) ON \(target) TO \(quoteIdentifier(role));"
        }
    }
}
