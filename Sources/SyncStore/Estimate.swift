import Postgres

extension Store {
    /// About how many rows the source has, as the last ANALYZE found; 0 where nobody knows. For progress bars only.
    public func estimatedUsers() async throws(StoreError) -> Int {
        try await query(Store.estimatedUsers, [.text(source.name.quoted)]).first ?? 0
    }

    static let estimatedUsers = Statement<Int>(
        "estimated_users",
        "SELECT greatest(c.reltuples, 0)::bigint FROM pg_catalog.pg_class c WHERE c.oid = to_regclass($1)"
    ) { row throws(PostgresError) in try row.integer(0) }
}
