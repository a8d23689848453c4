import Postgres
import SyncCore

/// How an agent comes to know of changes.
public enum WakeUp: Sendable, Hashable {
    case notify
    /// It looks at intervals, for this reason.
    case polling(String)

    public var name: String {
        switch self {
        case .notify: "notify"
        case .polling: "polling"
        }
    }

    public var reason: String {
        switch self {
        case .notify: "it hears its own notifications"
        case .polling(let reason): reason
        }
    }
}

/// One agent, as it introduces itself.
public struct AgentIdentity: Sendable, Hashable {
    /// Unique among all agents of all times.
    public let id: String
    public let host: String
    public let pid: Int
    public let version: String

    public init(id: String, host: String, pid: Int, version: String) {
        self.id = id
        self.host = host
        self.pid = pid
        self.version = version
    }
}

extension Store {
    /// How long after its last heartbeat an agent counts as alive; the view `status` has it too.
    public static let agentSpan = Duration.seconds(45)

    /// Says that this agent is alive, and knocks on its own door.
    ///
    /// - Parameters:
    ///   - captureTrouble: what keeps triggers from telling of every change; `nil`: nothing.
    ///   - mapping: what it sends by; `nil`: it doesn't say.
    ///   - canary: the payload to be heard back.
    /// - Returns: how many agents are alive, this one included.
    public func heartbeat(
        _ agent: AgentIdentity, wakeUp: WakeUp, captureTrouble: String? = nil, mapping: MappingOutline? = nil,
        canary: String
    ) async throws(StoreError) -> Int {
        let parameters: [Parameter] = [
            .text(agent.id), .text(agent.host), .bigint(Int64(agent.pid)), .text(agent.version), .text(wakeUp.name),
            .text(wakeUp.reason), .text(canary), .optionalText(captureTrouble), .optionalText(mapping?.digest),
        ]
        return try await query(Store.heartbeat, parameters).first ?? 1
    }

    static let heartbeat = Statement<Int>(
        "heartbeat",
        """
        WITH knocked AS (SELECT pg_notify('subscriber_sync', $7)),
        beaten AS (
            INSERT INTO subscriber_sync.agent AS a (id, host, pid, version, wake_up, wake_up_reason, capture_trouble, mapping)
            SELECT $1, $2, $3::bigint::integer, $4, $5, $6, $8::text, $9::text FROM knocked
            ON CONFLICT (id) DO UPDATE SET seen_at = now(), wake_up = excluded.wake_up,
                wake_up_reason = excluded.wake_up_reason, capture_trouble = excluded.capture_trouble,
                mapping = excluded.mapping
            RETURNING id
        )
        SELECT count(*) FROM (
            SELECT id FROM beaten
            UNION SELECT id FROM subscriber_sync.agent WHERE seen_at > now() - interval '45 seconds'
        ) AS alive
        """
    ) { row throws(PostgresError) in try row.integer(0) }

    /// How many agents are alive, this one included: who shares the rate.
    public func countAgents(with agent: AgentIdentity) async throws(StoreError) -> Int {
        try await query(Store.countAgents, [.text(agent.id)]).first ?? 1
    }

    static let countAgents = Statement<Int>(
        "count_agents",
        """
        SELECT count(*) FROM (
            SELECT $1::text AS id UNION SELECT id FROM subscriber_sync.agent WHERE seen_at > now() - interval '45 seconds'
        ) AS alive
        """
    ) { row throws(PostgresError) in try row.integer(0) }

    /// Takes this agent off the list, and tells the others, whose share of the rate grows.
    ///
    /// - Parameter farewell: the payload that they know it by.
    public func leave(_ agent: AgentIdentity, farewell: String) async throws(StoreError) {
        _ = try await query(Store.leave, [.text(agent.id), .text(farewell)])
    }

    static let leave = Statement<Void>(
        "leave",
        """
        WITH gone AS (DELETE FROM subscriber_sync.agent WHERE id = $1 RETURNING id)
        SELECT pg_notify('subscriber_sync', $2) FROM gone
        """)

    /// Deletes log rows older than the retention, a bounded number at a time, and agents gone for a day.
    ///
    /// - Parameters:
    ///   - retention: `nil`: rows are kept for ever.
    ///   - rows: how many rows are kept; `nil`: any number.
    /// - Returns: how many log rows went.
    public func prune(logOlderThan retention: Duration?, keeping rows: Int?) async throws(StoreError) -> Int {
        _ = try await query(Store.pruneAgents)
        var gone = 0
        if let retention {
            gone += try await query(Store.pruneLog, [.bigint(retention.millisecondsRoundedUp)]).first ?? 0
        }
        if let rows { gone += try await query(Store.pruneLogRows, [.bigint(Int64(rows))]).first ?? 0 }
        return gone
    }

    /// How many log rows one statement deletes at most.
    public static let prunePage = 5000

    static let pruneAgents = Statement<Void>(
        "prune_agents", "DELETE FROM subscriber_sync.agent WHERE seen_at < now() - interval '1 day'")

    /// The newest id tells how many rows there can be behind another one; ids have gaps, so it keeps fewer
    /// rather than more.
    static let pruneLogRows = Statement<Int>(
        "prune_log_rows",
        """
        WITH surplus AS (
            SELECT id FROM subscriber_sync.log
            WHERE id <= (SELECT id FROM subscriber_sync.log ORDER BY id DESC LIMIT 1) - $1::bigint
            ORDER BY id LIMIT \(prunePage) FOR UPDATE SKIP LOCKED
        ),
        gone AS (
            DELETE FROM subscriber_sync.log WHERE id = ANY (ARRAY(SELECT id FROM surplus)) RETURNING 1
        )
        SELECT count(*) FROM gone
        """
    ) { row throws(PostgresError) in try row.integer(0) }

    /// Ids and times rise together, so the oldest rows are the lowest ids. SKIP LOCKED: two agents share the work.
    static let pruneLog = Statement<Int>(
        "prune_log",
        """
        WITH old AS (
            SELECT id FROM subscriber_sync.log WHERE at < now() - $1::bigint * interval '1 ms'
            ORDER BY at LIMIT \(prunePage) FOR UPDATE SKIP LOCKED
        ),
        gone AS (
            DELETE FROM subscriber_sync.log WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING 1
        )
        SELECT count(*) FROM gone
        """
    ) { row throws(PostgresError) in try row.integer(0) }
}
