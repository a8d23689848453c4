import SyncCore

/// A model of the database: the application's table, our tables, and the statements that the agents use.
///
/// It means what the SQL means, in a few dozen lines that can be read against it. It owns no clock: each
/// statement is told the time, in milliseconds of the database's clock. Every answer depends on nothing but
/// the operations before it.
public struct ModelStore: Sendable {
    /// How long a lease lasts, in milliseconds.
    public let leaseLength: Int64
    /// The fields that have a column.
    public let mapped: [ProfileField]
    public let mistakes: Set<Mistake>
    /// What the columns' texts become.
    public let values: ValueRules

    /// The application's table.
    public internal(set) var source: [UserKey: ModelSourceRow] = [:]
    public internal(set) var changes: [ModelChange] = []
    public internal(set) var subscribers: [UserKey: ModelSubscriber] = [:]
    /// The history of pairs. The real one is bounded; no run is as long.
    public internal(set) var pairs: [ModelPair] = []
    public internal(set) var control = ModelControl()
    public internal(set) var log: [ModelLogRow] = []
    var lastChange: Int64 = 0
    var lastLease: Int64 = 0
    /// Admissions that the mistake `referenceNotWrittenAhead` puts off until the settlement, by lease.
    var unwrittenAdmissions: [Int64: AdmissionRecord] = [:]

    /// What an admission writes down.
    struct AdmissionRecord: Sendable {
        let reference: String
        let at: Int64
    }

    public init(
        leaseLength: Int64, mapped: [ProfileField], mistakes: Set<Mistake> = [], values: ValueRules = ValueRules()
    ) {
        self.leaseLength = leaseLength
        self.mapped = mapped.sorted()
        self.mistakes = mistakes
        self.values = values
    }

    /// The application inserts, updates (a row) or deletes (`nil`); capture appends where something mapped changed.
    public mutating func write(_ user: UserKey, _ row: ModelSourceRow?, now: Int64) {
        guard source[user] != row else { return }
        source[user] = row
        append(user, now: now)
    }

    /// The application changes a key, which to us is one user going and another coming: both are appended.
    public mutating func rekey(_ user: UserKey, to other: UserKey, now: Int64) {
        guard let row = source.removeValue(forKey: user) else { return }
        source[other] = row
        append(other, now: now)
        append(user, now: now)
    }

    /// Everybody whom our tables know, in the order of the keys.
    public var knownUsers: [UserKey] { subscribers.keys.sorted() }

    /// Whether nothing waits to be folded and nobody is due, now or later.
    public var isQuiet: Bool { changes.isEmpty && subscribers.values.allSatisfy { $0.dueAt == nil } }

    private mutating func append(_ user: UserKey, now: Int64) {
        lastChange += 1
        changes.append(ModelChange(number: lastChange, user: user, changedAt: now))
    }

    mutating func freshLease() -> Int64 {
        lastLease += 1
        return lastLease
    }
}
