import Postgres
import SyncCore

extension Store {
    /// Counts the users in scope by the value of their time zone, and says which values nobody knows.
    ///
    /// It reads the whole table once, so it is for an operator who asks, not for agents.
    ///
    /// - Returns: `nil` where no time zone is mapped.
    public func timeZones() async throws(StoreError) -> TimeZoneCensus? {
        guard let statement = TimeZoneSQL.counts(source) else { return nil }
        let rows = try await query(statement, [.bigint(Int64(TimeZoneSQL.mostValues + 1))])
        return TimeZoneCensus(
            counts: Array(rows.prefix(TimeZoneSQL.mostValues)), isComplete: rows.count <= TimeZoneSQL.mostValues)
    }
}

/// The values of the time zone's column.
enum TimeZoneSQL {
    /// There are fewer than a thousand names, in a handful of spellings.
    static let mostValues = 5000

    /// Parameter: $1 how many values, the most frequent first. A longer text is no zone, whatever it goes on with.
    static func counts(_ source: SourceTable) -> Statement<(value: String, users: Int)>? {
        guard let index = source.mapping.orderedFields.firstIndex(of: .timeZone) else { return nil }
        return Statement(
            "time_zones",
            """
            SELECT left(u.field_\(index), 200) AS value, count(*) AS users
            FROM (
                \(source.everybodyInScope())
            ) AS u
            WHERE u.field_\(index) IS NOT NULL
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1::bigint
            """
        ) { row throws(PostgresError) in (value: try row.text(0), users: try row.integer(1)) }
    }
}
