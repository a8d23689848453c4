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
    public let sweeps: Sweeps
    /// What keeps triggers from telling of every change; `nil`: nothing.
    public let captureTrouble: String?
    public internal(set) var brakes: Brakes
    /// How the mapping that is used differs from the one that everybody was told by.
    public internal(set) var mapping = MappingChange()
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

    /// What the comparison of everybody has come to.
    public struct Sweeps: Sendable, Hashable {
        /// When everybody was written down first; `nil`: not yet.
        public let baselineAt: String?
        /// Why the one under way began, and how many users it has compared; `nil`: none is.
        public let reason: String?
        public let compared: Int?
        /// The last one that ended.
        public let endedAt: String?
        public let endedReason: String?
        public let endedCompared: Int?
        public let endedFound: Int?
        /// Changes that nothing had told of, since the beginning.
        public let driftFound: Int
    }

    /// What waits for an operator's answer.
    public struct Brakes: Sendable {
        /// Since when changes of known users are held; `nil`: they aren't.
        public let since: String?
        /// How many had changed then, of how many.
        public let changed: Int?
        public let known: Int?
        /// Users who are held for that, and the first of them.
        public let heldChanged: Int
        public let sample: [String]
        /// Which fields their pushes would change, each with the number of users, most first.
        public internal(set) var fields: [(field: String, users: Int)] = []
        /// Users who are held by the limit of new subscribers.
        public let heldNew: Int
    }

    public func count(of status: String) -> Int { users.first { $0.status == status }?.count ?? 0 }
}

extension FleetStatus {
    /// Every status that a user can have, in the order in which they are shown.
    public static let statuses = [
        "unsynced", "pending", "in_flight", "retrying", "synced", "rejected", "held", "out_of_scope", "deleted",
    ]

    /// Reads the view, and what stands in others: how the mapping changed, and what a mass change is of.
    public static func read(in session: Session) async throws(StoreError) -> FleetStatus {
        var rows: [FleetStatus]
        do {
            rows = try await session.query(statement)
            if let held = rows.first?.brakes.heldChanged, held > 0 {
                rows[0].brakes.fields = try await session.query(massChange)
            }
        } catch {
            throw StoreError(error)
        }
        guard var status = rows.first else {
            throw StoreError(
                .schema, "The table subscriber_sync.control has lost its row.",
                hint: "INSERT INTO subscriber_sync.control DEFAULT VALUES;")
        }
        status.mapping = try await MappingChange.read(in: session)
        return status
    }

    static let massChange = Statement<(field: String, users: Int)>(
        "mass_change", "SELECT c.field, c.users FROM subscriber_sync.mass_change c ORDER BY c.users DESC, c.field"
    ) { row throws(PostgresError) in (try row.text(0), try row.integer(1)) }

    static let statement = Statement<FleetStatus>(
        "status",
        """
        SELECT users, \(statuses.joined(separator: ", ")), change_backlog, changes_without_key, lag_seconds,
            accepted_last_minute, backlog_seconds, pause_kind, pause_reason, paused_at::text, next_probe_at::text,
            throttled_until::text, agents, agents_listening, polling_reason, new_subscribers_24h, schema_version,
            baseline_at::text, sweep_reason, sweep_compared, swept_at::text, swept_reason, swept_compared, swept_found,
            drift_found, capture_trouble, braked_at::text, braked_changed, braked_known, held_mass_change, held_sample,
            held_new_subscriber_limit
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
            sweeps: try sweeps(row, from: next + 15), captureTrouble: try row.optionalText(next + 23),
            brakes: try brakes(row, from: next + 24),
            schemaVersion: Int(try row.optionalBigint(next + 14) ?? 0))
    }

    private static func brakes(_ row: borrowing RowReader, from index: Int) throws(PostgresError) -> Brakes {
        Brakes(
            since: try row.optionalText(index), changed: try row.optionalInteger(index + 1),
            known: try row.optionalInteger(index + 2), heldChanged: try row.integer(index + 3),
            sample: try row.optionalTextArray(index + 4)?.compactMap { $0 } ?? [], heldNew: try row.integer(index + 5))
    }

    private static func sweeps(_ row: borrowing RowReader, from index: Int) throws(PostgresError) -> Sweeps {
        Sweeps(
            baselineAt: try row.optionalText(index), reason: try row.optionalText(index + 1),
            compared: try row.optionalInteger(index + 2), endedAt: try row.optionalText(index + 3),
            endedReason: try row.optionalText(index + 4), endedCompared: try row.optionalInteger(index + 5),
            endedFound: try row.optionalInteger(index + 6), driftFound: try row.integer(index + 7))
    }

    private static func pause(_ row: borrowing RowReader, from index: Int) throws(PostgresError) -> Pause? {
        guard let kind = try row.optionalText(index) else { return nil }
        return Pause(
            kind: kind, reason: try row.optionalText(index + 1), since: try row.optionalText(index + 2),
            nextProbe: try row.optionalText(index + 3))
    }
}
