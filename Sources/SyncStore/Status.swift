import Postgres

/// The whole picture: the one row of the view `subscriber_sync.status`.
public struct FleetStatus: Sendable {
    /// How many users have each status, in the order in which they are shown.
    public let users: [(status: String, count: Int)]
    public let total: Int
    /// Changes that no agent has looked at.
    public let changeBacklog: Int
    /// Changes that name no user, because the key column isn't there under its name any more.
    public let changesWithoutKey: Int
    /// Age of the oldest change that SignalWire doesn't know, in seconds; `nil` where there is none.
    public let lagSeconds: Double?
    public let acceptedLastMinute: Int
    /// When the backlog ends at the rate of the last minute, in seconds; `nil` while nothing moves.
    public let backlogSeconds: Double?
    public let pause: Pause?
    /// When SignalWire allows calls again, if it asked for silence.
    public let throttledUntil: String?
    public let agents: Int
    public let agentsListening: Int
    /// Why an agent polls, if one does.
    public let pollingReason: String?
    public let newSubscribers24h: Int
    public let schemaVersion: Int

    /// A pause, with who asked for it and why.
    public struct Pause: Sendable, Hashable {
        /// `operator`, `account`, `source` or `copied`.
        public let kind: String
        public let reason: String?
        public let since: String?
        /// When one user is tried to see whether the account works again.
        public let nextProbe: String?
    }

    public func count(of status: String) -> Int { users.first { $0.status == status }?.count ?? 0 }
}

extension FleetStatus {
    private static let statuses = [
        "unsynced", "pending", "in_flight", "retrying", "synced", "rejected", "held", "out_of_scope", "deleted",
    ]

    /// Reads the view.
    public static func read(in session: Session) async throws(StoreError) -> FleetStatus {
        let rows: [FleetStatus]
        do {
            rows = try await session.query(statement)
        } catch {
            throw StoreError(error)
        }
        guard let status = rows.first else {
            throw StoreError(
                .schema, "The table subscriber_sync.control has lost its row.",
                hint: "INSERT INTO subscriber_sync.control DEFAULT VALUES;")
        }
        return status
    }

    static let statement = Statement<FleetStatus>(
        "status",
        """
        SELECT users, \(statuses.joined(separator: ", ")), change_backlog, changes_without_key, lag_seconds,
            accepted_last_minute, backlog_seconds, pause_kind, pause_reason, paused_at::text, next_probe_at::text,
            throttled_until::text, agents, agents_listening, polling_reason, new_subscribers_24h, schema_version
        FROM subscriber_sync.status
        """
    ) { row throws(PostgresError) in
        var users: [(status: String, count: Int)] = []
        for (index, status) in statuses.enumerated() { users.append((status, try row.integer(1 + index))) }
        let next = 1 + statuses.count
        return FleetStatus(
            users: users, total: try row.integer(0), changeBacklog: try row.integer(next),
            changesWithoutKey: try row.integer(next + 1), lagSeconds: try row.optionalDouble(next + 2),
            acceptedLastMinute: try row.integer(next + 3), backlogSeconds: try row.optionalDouble(next + 4),
            pause: try pause(row, from: next + 5), throttledUntil: try row.optionalText(next + 9),
            agents: try row.integer(next + 10), agentsListening: try row.integer(next + 11),
            pollingReason: try row.optionalText(next + 12), newSubscribers24h: try row.integer(next + 13),
            schemaVersion: Int(try row.optionalBigint(next + 14) ?? 0))
    }

    private static func pause(_ row: borrowing RowReader, from index: Int) throws(PostgresError) -> Pause? {
        guard let kind = try row.optionalText(index) else { return nil }
        return Pause(
            kind: kind, reason: try row.optionalText(index + 1), since: try row.optionalText(index + 2),
            nextProbe: try row.optionalText(index + 3))
    }
}
