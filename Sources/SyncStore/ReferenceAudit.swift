import Postgres
import SyncCore

/// References that several users in scope have: only the first of them can be a subscriber.
public struct ReferenceDuplicates: Sendable, Hashable {
    /// How many references, and how many users have one of them.
    public let references: Int
    public let users: Int
    /// Two users of each, for the first few.
    public let samples: [Pair]

    /// Two users with one reference.
    public struct Pair: Sendable, Hashable {
        public let first: UserKey
        public let second: UserKey

        public init(_ first: UserKey, _ second: UserKey) {
            self.first = first
            self.second = second
        }
    }
}

/// Users in scope who have no reference that could be sent.
public struct MissingReferences: Sendable, Hashable {
    public let null: Int
    public let blank: Int
    /// With a control character inside.
    public let unreadable: Int
    /// The first few of all these.
    public let samples: [UserKey]
}

extension Store {
    /// How many samples an audit brings.
    public static let auditSamples = 5

    /// Looks through the whole table for references that more than one user in scope has, compared as admission does.
    public func duplicateReferences() async throws(StoreError) -> ReferenceDuplicates {
        try await audit(AuditSQL.duplicates(source))
    }

    /// Looks through the whole table for users in scope who have no reference.
    public func missingReferences() async throws(StoreError) -> MissingReferences {
        try await audit(AuditSQL.missing(source))
    }

    private func audit<Row>(_ statement: Statement<Row>) async throws(StoreError) -> Row {
        guard let row = try await query(statement).first else {
            throw StoreError(.database, "The database did not answer.")
        }
        return row
    }
}

/// Statements that read the whole users table once; their answers are small however large it is.
enum AuditSQL {
    /// Within scope, the key and the reference; trimmed of what PostgreSQL's own classes call white space.
    private static func named(_ source: SourceTable) -> String {
        let reference = "\(source.name.quoted).\(quoteIdentifier(source.mapping.reference))"
        return """
            SELECT \(source.keyColumn)::text COLLATE "C" AS user_key,
                    btrim(\(reference)::text, E' \\t\\n\\r\\f\\v') AS reference
                FROM \(source.name.quoted) WHERE \(source.inScope)
            """
    }

    static func duplicates(_ source: SourceTable) -> Statement<ReferenceDuplicates> {
        Statement(
            "duplicate_references",
            """
            WITH named AS (
                \(named(source))
            ),
            shared AS MATERIALIZED (
                SELECT count(*) AS users, min(n.user_key) AS first, max(n.user_key) AS second
                FROM named n WHERE n.reference <> '' GROUP BY lower(n.reference) HAVING count(*) > 1
            ),
            sample AS MATERIALIZED (SELECT s.first, s.second FROM shared s ORDER BY s.first LIMIT \(Store.auditSamples))
            SELECT (SELECT count(*) FROM shared), (SELECT coalesce(sum(s.users), 0)::bigint FROM shared s),
                ARRAY(SELECT s.first FROM sample s ORDER BY s.first), ARRAY(SELECT s.second FROM sample s ORDER BY s.first)
            """
        ) { row throws(PostgresError) in
            let (first, second) = (try row.textArray(2), try row.textArray(3))
            let samples = zip(first, second).compactMap { first, second -> ReferenceDuplicates.Pair? in
                guard let first, let second else { return nil }
                return ReferenceDuplicates.Pair(UserKey(first), UserKey(second))
            }
            return ReferenceDuplicates(references: try row.integer(0), users: try row.integer(1), samples: samples)
        }
    }

    static func missing(_ source: SourceTable) -> Statement<MissingReferences> {
        Statement(
            "missing_references",
            """
            WITH named AS (
                \(named(source))
            ),
            without AS MATERIALIZED (
                SELECT n.user_key, n.reference FROM named n
                WHERE n.reference IS NULL OR n.reference = '' OR n.reference ~ '[[:cntrl:]]'
            )
            SELECT count(*) FILTER (WHERE w.reference IS NULL), count(*) FILTER (WHERE w.reference = ''),
                count(*) FILTER (WHERE w.reference <> ''),
                ARRAY(SELECT s.user_key FROM without s ORDER BY s.user_key LIMIT \(Store.auditSamples))
            FROM without w
            """
        ) { row throws(PostgresError) in
            MissingReferences(
                null: try row.integer(0), blank: try row.integer(1), unreadable: try row.integer(2),
                samples: try row.textArray(3).compactMap { $0.map(UserKey.init) })
        }
    }
}
