import Postgres
import SyncCore

/// What an agent is told once.
public struct AgentSettings: Sendable {
    public var dispatcher: DispatcherSettings
    public var rules: PushRules
    /// New subscribers in 24 hours; `nil`: any number.
    public var newSubscriberLimit: Int?
    /// How long log rows are kept; `nil`: for ever.
    public var logRetention: Duration?
    /// The connection to listen on, which may be another than the one to work on.
    public var listening: ConnectionSettings
    /// Why no trigger will ever knock, where that is so.
    public var silence: String?

    public init(
        dispatcher: DispatcherSettings, rules: PushRules, newSubscriberLimit: Int?, logRetention: Duration?,
        listening: ConnectionSettings, silence: String? = nil
    ) {
        self.dispatcher = dispatcher
        self.rules = rules
        self.newSubscriberLimit = newSubscriberLimit
        self.logRetention = logRetention
        self.listening = listening
        self.silence = silence
    }

    /// How often an agent says that it is alive, and knocks on its own door.
    public static let heartbeatInterval = Duration.seconds(10)
    /// The first knock is answered sooner, so that a deaf connection is known within seconds.
    public static let firstHeartbeatInterval = Duration.seconds(2)
    /// How many heartbeats pass between two rounds of housekeeping.
    public static let heartbeatsPerHousekeeping = 6
}
