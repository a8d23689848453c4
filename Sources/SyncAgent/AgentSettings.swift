import Postgres
import SyncCore
import SyncStore

/// What an agent is told once.
public struct AgentSettings: Sendable {
    public var dispatcher: DispatcherSettings
    public var rules: PushRules
    /// New subscribers in 24 hours; `nil`: any number.
    public var newSubscriberLimit: Int?
    /// Percent of the known users that may change within ten minutes; 0: any number.
    public var changedSharePercent = 0
    /// How long log rows are kept; `nil`: for ever.
    public var logRetention: Duration?
    /// How many log rows are kept; `nil`: any number.
    public var logRows: Int?
    /// The connection to listen on, which may be another than the one to work on.
    public var listening: ConnectionSettings
    /// How changes are found besides by triggers.
    public var sweeping: Sweeping
    /// Why no trigger will ever knock, where that is so.
    public var silence: String?

    /// How everybody is compared.
    public struct Sweeping: Sendable, Hashable {
        /// Whether triggers tell of changes, or only comparing does.
        public enum Mode: Sendable, Hashable {
            case listen
            case poll
        }

        public var mode: Mode
        /// From the end of one full sweep to the next; `nil`: only when somebody asks.
        public var interval: Duration?
        public var pages: SweepSettings

        public init(mode: Mode = .listen, interval: Duration? = .seconds(21_600), pages: SweepSettings) {
            self.mode = mode
            self.interval = interval
            self.pages = pages
        }
    }

    public init(
        dispatcher: DispatcherSettings, rules: PushRules, newSubscriberLimit: Int?, logRetention: Duration?,
        logRows: Int? = nil, listening: ConnectionSettings,
        sweeping: Sweeping = Sweeping(pages: SweepSettings(rate: 10_000)),
        silence: String? = nil
    ) {
        self.dispatcher = dispatcher
        self.rules = rules
        self.newSubscriberLimit = newSubscriberLimit
        self.logRetention = logRetention
        self.logRows = logRows
        self.listening = listening
        self.sweeping = sweeping
        self.silence = silence
    }

    /// How often an agent says that it is alive, and knocks on its own door.
    public static let heartbeatInterval = Duration.seconds(10)
    /// The first knock is answered sooner, so that a deaf connection is known within seconds.
    public static let firstHeartbeatInterval = Duration.seconds(2)
    /// How many heartbeats pass between two rounds of housekeeping.
    public static let heartbeatsPerHousekeeping = 6
}
