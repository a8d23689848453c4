import SyncCore

/// What of an agent's settings can change while it runs.
public struct AgentTuning: Sendable, Hashable {
    public var pace: DispatcherTuning
    /// New subscribers in 24 hours; `nil`: any number.
    public var newSubscriberLimit: Int?
    /// Percent of the known users that may change within ten minutes; 0: any number.
    public var changedSharePercent: Int
    /// How long log rows are kept; `nil`: for ever.
    public var logRetention: Duration?
    /// How many log rows are kept; `nil`: any number.
    public var logRows: Int?

    public init(
        pace: DispatcherTuning, newSubscriberLimit: Int?, changedSharePercent: Int, logRetention: Duration?,
        logRows: Int?
    ) {
        self.pace = pace
        self.newSubscriberLimit = newSubscriberLimit
        self.changedSharePercent = changedSharePercent
        self.logRetention = logRetention
        self.logRows = logRows
    }
}

extension AgentSettings {
    /// The part that can change.
    var tuning: AgentTuning {
        AgentTuning(
            pace: DispatcherTuning(
                concurrency: dispatcher.concurrency, rate: dispatcher.rate, equalRejections: dispatcher.equalRejections),
            newSubscriberLimit: newSubscriberLimit, changedSharePercent: changedSharePercent,
            logRetention: logRetention,
            logRows: logRows)
    }
}
