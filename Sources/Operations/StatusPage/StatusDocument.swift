import FoundationEssentials
import SyncStore

/// What the status page shows, as JSON. Keys of users are in it, and no value of a profile.
struct StatusDocument: Sendable, Encodable {
    let version: String
    let isDatabaseUp: Bool
    /// How old the figures are; absent: there are none.
    let ageSeconds: Double?
    let fleet: Fleet?
    let attention: [Attention]
    let agents: [Agent]
    let history: [FleetHistory.Sample]

    /// The figures of the view `status`.
    struct Fleet: Sendable, Encodable {
        /// One sentence; absent: everything is well.
        let concern: String?
        let users: [Count]
        let total: Int
        let changeBacklog: Int
        let lagSeconds: Double?
        let acceptedLastMinute: Int
        let backlogSeconds: Double?
        let newSubscribersLastDay: Int
        let pause: String?
        let throttledUntil: String?
        let heldByMassChange: Int
        let heldByLimit: Int
        let agents: Int
        let agentsListening: Int
        let pollingReason: String?
        let captureTrouble: String?
        let sweep: String
        let driftFound: Int
        let notifyQueueUsage: Double
        let schemaVersion: Int
    }

    /// How many users have a status.
    struct Count: Sendable, Encodable {
        let status: String
        let count: Int
    }

    /// Users who need attention, for one reason.
    struct Attention: Sendable, Encodable {
        let standing: String
        let code: String
        let count: Int
        let reason: String
        let remedy: String
        let users: [String]
    }

    /// An agent that is alive.
    struct Agent: Sendable, Encodable {
        let id: String
        let host: String
        let version: String
        let uptimeSeconds: Double
        let seenSecondsAgo: Double
        let wakeUp: String
        let reason: String
    }

    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map(Array.init) ?? Array("{}".utf8)
    }
}

extension StatusDocument.Fleet {
    init(_ figures: FleetFigures, concern: String?) {
        let status = figures.status
        self.init(
            concern: concern, users: status.users.map { .init(status: $0.status, count: $0.count) },
            total: status.total,
            changeBacklog: status.changeBacklog, lagSeconds: status.lagSeconds,
            acceptedLastMinute: status.acceptedLastMinute, backlogSeconds: status.backlogSeconds,
            newSubscribersLastDay: status.newSubscribers24h, pause: status.pause?.kind,
            throttledUntil: status.throttledUntil, heldByMassChange: status.brakes.heldChanged,
            heldByLimit: status.brakes.heldNew, agents: status.agents, agentsListening: status.agentsListening,
            pollingReason: status.pollingReason, captureTrouble: status.captureTrouble, sweep: status.sweeps.sentence,
            driftFound: status.sweeps.driftFound, notifyQueueUsage: figures.notifyQueueUsage,
            schemaVersion: status.schemaVersion)
    }
}

extension FleetStatus.Sweeps {
    /// What is being compared, or was last.
    fileprivate var sentence: String {
        if let reason { return "under way (\(reason)): \(compared ?? 0) users compared" }
        guard let endedAt else { return "none has ended yet" }
        return "\(endedAt) (\(endedReason ?? "")): \(endedCompared ?? 0) compared, \(endedFound ?? 0) differed"
    }
}

extension StatusDocument.Attention {
    init(_ group: AttentionGroup) {
        self.init(
            standing: group.standing, code: group.code ?? "unknown", count: group.count, reason: group.reason ?? "",
            remedy: Remedy.text(standing: group.standing, code: group.code), users: group.users)
    }
}

extension StatusDocument.Agent {
    init(_ agent: LivingAgent) {
        self.init(
            id: agent.id, host: agent.host, version: agent.version, uptimeSeconds: agent.uptimeSeconds,
            seenSecondsAgo: agent.seenSecondsAgo, wakeUp: agent.wakeUp, reason: agent.wakeUpReason)
    }
}
