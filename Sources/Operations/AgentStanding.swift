import SyncAgent

/// What the endpoints may know of the agent beside them.
public struct AgentStanding: Sendable {
    let pulse: AgentPulse
    /// Whether it should hear of changes by LISTEN, and whether it does.
    let isToListen: Bool
    let isListening: @Sendable () -> Bool
    /// How often each session was connected anew.
    let reconnects: @Sendable () async -> [(session: String, count: Int)]

    public init(
        pulse: AgentPulse, isToListen: Bool, isListening: @escaping @Sendable () -> Bool,
        reconnects: @escaping @Sendable () async -> [(session: String, count: Int)]
    ) {
        self.pulse = pulse
        self.isToListen = isToListen
        self.isListening = isListening
        self.reconnects = reconnects
    }
}
