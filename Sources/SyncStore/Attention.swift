import Postgres

/// Users whom somebody should look at, for one reason: how many, and the first of them.
public struct AttentionGroup: Sendable, Hashable {
    /// `rejected`, `held` or `retrying`.
    public let standing: String
    public let code: String?
    public let count: Int
    /// What the first of them is told; SignalWire's own words, or ours.
    public let reason: String?
    public let users: [String]

    public init(standing: String, code: String?, count: Int, reason: String?, users: [String]) {
        self.standing = standing
        self.code = code
        self.count = count
        self.reason = reason
        self.users = users
    }
}

/// An agent that is alive, as it introduced itself.
public struct LivingAgent: Sendable, Hashable {
    public let id: String
    public let host: String
    public let version: String
    public let uptimeSeconds: Double
    public let seenSecondsAgo: Double
    public let wakeUp: String
    public let wakeUpReason: String

    public init(
        id: String, host: String, version: String, uptimeSeconds: Double, seenSecondsAgo: Double, wakeUp: String,
        wakeUpReason: String
    ) {
        self.id = id
        self.host = host
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.seenSecondsAgo = seenSecondsAgo
        self.wakeUp = wakeUp
        self.wakeUpReason = wakeUpReason
    }
}

extension Store {
    /// Whom somebody should look at, the reason with the most users first.
    public func attention() async throws(StoreError) -> [AttentionGroup] { try await query(Store.attention) }

    /// The agents that are alive, the eldest first.
    public func livingAgents() async throws(StoreError) -> [LivingAgent] { try await query(Store.livingAgents) }

    /// Counted by the index of those users alone; ten of each reason are read. Who is due is being looked after.
    static let attention = Statement<AttentionGroup>(
        "attention",
        """
        SELECT g.standing, g.code, g.users, (array_agg(u.last_error))[1], array_agg(u.user_key ORDER BY u.user_key)
        FROM (
            SELECT s.standing, s.last_error_code AS code, count(*) AS users FROM subscriber_sync.subscriber s
            WHERE s.standing IN ('rejected', 'held', 'retrying') AND (s.standing = 'retrying' OR s.due_at IS NULL)
            GROUP BY s.standing, s.last_error_code ORDER BY count(*) DESC, 1, 2 LIMIT 20
        ) AS g
        LEFT JOIN LATERAL (
            SELECT s.user_key, s.last_error FROM subscriber_sync.subscriber s
            WHERE s.standing IN ('rejected', 'held', 'retrying') AND (s.standing = 'retrying' OR s.due_at IS NULL)
                AND s.standing = g.standing AND s.last_error_code = g.code
            LIMIT 10
        ) AS u ON true
        GROUP BY g.standing, g.code, g.users ORDER BY g.users DESC, 1, 2
        """
    ) { row throws(PostgresError) in
        AttentionGroup(
            standing: try row.text(0), code: try row.optionalText(1), count: try row.integer(2),
            reason: try row.optionalText(3), users: try row.optionalTextArray(4)?.compactMap { $0 } ?? [])
    }

    static let livingAgents = Statement<LivingAgent>(
        "living_agents",
        """
        SELECT a.id, a.host, a.version, extract(epoch FROM now() - a.started_at)::double precision,
            extract(epoch FROM now() - a.seen_at)::double precision, a.wake_up, a.wake_up_reason
        FROM subscriber_sync.agent a WHERE a.seen_at > now() - interval '45 seconds'
        ORDER BY a.started_at, a.id LIMIT 100
        """
    ) { row throws(PostgresError) in
        LivingAgent(
            id: try row.text(0), host: try row.text(1), version: try row.text(2), uptimeSeconds: try row.double(3),
            seenSecondsAgo: try row.double(4), wakeUp: try row.text(5), wakeUpReason: try row.text(6))
    }
}
