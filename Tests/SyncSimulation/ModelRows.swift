import SyncCore

/// A row of the application's table, as far as it is mapped.
public struct ModelSourceRow: Sendable, Hashable {
    public var reference: String?
    /// The text of each mapped column; `nil` for NULL.
    public var fields: [ProfileField: String?]
    /// Whether `source.where` lets it in.
    public var inScope: Bool

    public init(reference: String?, fields: [ProfileField: String?], inScope: Bool = true) {
        self.reference = reference
        self.fields = fields
        self.inScope = inScope
    }
}

/// A row of `change`: somebody was written, and nobody has folded it yet.
public struct ModelChange: Sendable, Hashable {
    /// The order of appending; stands in for the row's place in the table.
    public let number: Int64
    public let user: UserKey
    /// Milliseconds of the database's clock.
    public let changedAt: Int64
}

/// A row of `subscriber`. All times are milliseconds of the database's clock.
public struct ModelSubscriber: Sendable, Hashable {
    public let user: UserKey
    public var reference: String?
    /// The one that an operator has taken in its place.
    public var acceptedReference: Reference?
    public var admittedAt: Int64?
    public var subscriberID: SubscriberID?
    public var standing = Standing.unsynced
    public var attempts = 0
    public var changedAt: Int64?
    /// When somebody must look; with a lease, when the lease ends.
    public var dueAt: Int64?
    public var lastAttemptAt: Int64?
    public var syncedAt: Int64?
    /// The version of the wish: up by one with every fold, resync and lost lease.
    public var wanted: Int64 = 1
    public var lease: Int64?
    /// Until then a request of unknown effect may land.
    public var doubtedUntil: Int64?
    public var told: Told = [:]
    /// 0: a live change. 1: a resync, which comes after.
    public var priority = 0
    public var lastErrorCode: String?

    public init(user: UserKey) { self.user = user }

    /// How the reference is compared.
    var folded: String? { Reference(known: reference)?.folded }

    /// Whether somebody holds a lease that hasn't ended.
    func isLeased(at now: Int64) -> Bool {
        guard lease != nil, let dueAt else { return false }
        return dueAt > now
    }
}

/// A row of `pair`: a reference that was a user's before.
public struct ModelPair: Sendable, Hashable {
    public let user: UserKey
    public let reference: String
    public let subscriberID: SubscriberID?
    public let admittedAt: Int64
    /// The fields that were sent.
    public let fields: Set<ProfileField>

    var folded: String? { Reference(known: reference)?.folded }
}

/// The one row of `control`: what holds for the whole fleet.
public struct ModelControl: Sendable, Hashable {
    /// Why nobody pushes.
    public enum Pause: Sendable, Hashable {
        case operatorAsked
        case account
        case suspicious
    }

    public var pause: Pause?
    public var probeAt: Int64?
    public var probeFailures = 0
    public var throttledUntil: Int64?
    public var suspectCode: String?
    public var suspectSince: Int64 = .min
    /// Since when changes of known users are held.
    public var brakedAt: Int64?
    public var judgedAt: Int64 = .min
    public var extraSubscribers = 0
    public var extraUntil: Int64 = .min

    public init() {}
}

/// A row of `log`.
public struct ModelLogRow: Sendable, Hashable {
    public let user: UserKey
    public let outcome: String
    public let errorCode: String?
}
