/// One user, taken from the database to be worked on: what was asked for, and what was found.
///
/// It is read in the same statement that took the lease, so nothing in it is older than the version
/// it claims (see `SyncStore/Claim`).
public struct Claim: Sendable {
    public let user: UserKey
    /// Whoever settles must still hold it.
    public let lease: Lease
    /// Which wish this claim answers. Where the row wants a newer one at settling, it is due again.
    public let version: Int64
    /// How often the user was tried since the last success, this time included. At least 1.
    public let attempt: Int
    /// Where the settlement before this one left the user.
    public let standing: Standing
    public let source: SourceState
    /// How SignalWire was told to know this user, once a call was admitted; `nil` before.
    public let admitted: Reference?
    public let subscriber: SubscriberID?
    /// References that were this user's before: to return to one of them creates nothing.
    public let earlier: [Reference]
    /// The reference that an operator has taken in place of the one SignalWire knows; `nil`: none.
    public let accepted: Reference?
    public let told: Told
    /// Whether `told` may be untrue: a request has landed, or may still land, whose effect nobody
    /// knows, or an operator asked to push regardless. Sending again settles it.
    public let isDoubted: Bool
    /// Whether an operator asked for it, and not the application's change.
    public let isResync: Bool

    public init(
        user: UserKey, lease: Lease, version: Int64, attempt: Int, standing: Standing, source: SourceState,
        admitted: Reference?, subscriber: SubscriberID?, told: Told, isDoubted: Bool,
        isResync: Bool = false, earlier: [Reference] = [], accepted: Reference? = nil
    ) {
        self.user = user
        self.lease = lease
        self.version = version
        self.attempt = attempt
        self.standing = standing
        self.source = source
        self.admitted = admitted
        self.subscriber = subscriber
        self.told = told
        self.isDoubted = isDoubted
        self.isResync = isResync
        self.earlier = earlier
        self.accepted = accepted
    }
}

/// What the source table says of a user at the moment of the claim.
public enum SourceState: Sendable {
    /// The row is there and in scope. The reference is `nil` where its column holds none.
    case present(Reference?, Profile, ProfileDigests)
    /// The row is there, but `source.where` leaves it out.
    case outOfScope
    /// The row is there and in scope, but `source.profile` has none for it. Not the same as a blank profile, which
    /// would clear what SignalWire has.
    case withoutProfile
    /// There is no such row.
    case deleted

    /// What the log says of a field that was left out; `nil`: none was.
    var omission: Problem? {
        switch self {
        case .present(_, let profile, _): profile.omission
        case .outOfScope, .withoutProfile, .deleted: nil
        }
    }
}

/// Where the last settlement left a user. The raw value stands in the tables.
///
/// The public `status` is derived from it: a user with a lease is `in_flight`, one that is due is
/// `pending` (or stays `retrying`), any other has its standing.
public enum Standing: String, Sendable, CaseIterable {
    /// Never settled. → any other.
    case unsynced
    /// SignalWire was told what the row says. → any other but `unsynced`.
    case synced
    /// The last call brought no usable answer; it is due again. → any other but `unsynced`.
    case retrying
    /// SignalWire refused; parked until the row, the mapping or an operator changes something.
    case rejected
    /// Not sent, for a `HoldReason`; parked in the same way.
    case held
    /// `source.where` leaves the user out. Nothing is sent; the pair with the subscriber stays.
    case outOfScope = "out_of_scope"
    /// The row is gone. Nothing is sent; the pair stays for one who returns.
    case deleted
}
