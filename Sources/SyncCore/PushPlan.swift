/// What is to be done about one claimed user: the one decision between the table and SignalWire.
public enum PushPlan: Sendable {
    /// SignalWire was told exactly this already.
    case nothing
    case push(Push)
    /// Not sent, until somebody or something removes the reason.
    case hold(HoldReason)
    /// Nothing is sent for a user who isn't there: this call can't delete. What was told is erased.
    case forget(ForgetReason)

    /// Decides, from nothing but the claim and the operator's rules.
    public init(for claim: Claim, rules: PushRules) {
        switch claim.source {
        case .deleted: self = .forget(.deleted)
        case .outOfScope: self = .forget(.outOfScope)
        case .withoutProfile: self = .hold(.missingProfile)
        case .present(nil, _, _): self = .hold(.missingReference)
        case .present(.some(let reference), let profile, let digests):
            if claim.asksForNew(reference), rules.referenceChange == .hold {
                self = .hold(.referenceChanged)
            } else if let reason = profile.holdReason {
                self = .hold(reason)
            } else {
                let push = Push(
                    of: claim, reference: reference, profile: profile, digests: digests, cleared: rules.cleared)
                let isTold = claim.subscriber != nil && !push.needsAdmission && push.changed.isEmpty
                self = isTold && !claim.isDoubted ? .nothing : .push(push)
            }
        }
    }

    /// The plan after the database was asked whether this push may create a subscriber.
    ///
    /// - Returns: `nil` where the lease was lost: then nothing may be done at all.
    public func admitted(as admission: Admission) -> PushPlan? {
        switch admission {
        case .admitted: self
        case .duplicate: .hold(.duplicateReference)
        case .overLimit: .hold(.newSubscriberLimit)
        case .leaseLost: nil
        }
    }
}

/// What is sent for one user, and what SignalWire has been told once it is accepted. Prints redacted.
public struct Push: Sendable, CustomStringConvertible, CustomReflectable {
    public let reference: Reference
    /// The whole profile, and an empty text for each field that is to be cleared.
    public let fields: [ProfileField: String]
    /// Those that differ from what was told last, in their order.
    public let changed: [ProfileField]
    /// What the log says of a field that was left out; `nil`: none was.
    public let omission: Problem?
    /// What holds after the request was accepted.
    public let toldAfterwards: Told
    /// Whether the database must agree first: the call may create a subscriber, which is billed, or
    /// the user was gone and the reference may have become somebody else's.
    public let needsAdmission: Bool

    init(
        of claim: Claim, reference: Reference, profile: Profile, digests: ProfileDigests,
        cleared: PushRules.Cleared
    ) {
        let isSameSubscriber = claim.admitted == reference
        let told = isSameSubscriber ? claim.told : [:]
        var fields = profile.values
        var after = told
        for (field, digest) in digests.values { after[field] = .known(digest) }
        for (field, digest) in digests.empty where digests.values[field] == nil {
            guard cleared == .sendEmpty, told[field] != nil else { continue }
            // Not blank, only not to be sent: what SignalWire has stays.
            if field == .timeZone, profile.omitsTimeZone { continue }
            fields[field] = ""
            after[field] = .known(digest)
        }
        self.reference = reference
        self.fields = fields
        self.omission = profile.omission
        self.toldAfterwards = after
        self.changed = fields.keys.filter { told[$0] != after[$0] }.sorted()
        self.needsAdmission = !isSameSubscriber || claim.standing.mayHaveLostReference
    }

    /// Those of the changed fields that SignalWire has and that are blank now.
    public var cleared: [ProfileField] { changed.filter { fields[$0] == "" } }

    /// Whether the brake on mass changes holds this push: it would overwrite what a known subscriber has, and nobody
    /// asked for it.
    public func isHeldByBrake(_ claim: Claim) -> Bool {
        !claim.isResync && !needsAdmission && claim.subscriber != nil && !changed.isEmpty
    }

    public var description: String { "‹push of \(fields.count) fields›" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// What SignalWire knows if nobody can say whether this push was applied.
    public func toldIfInDoubt(_ told: Told) -> Told {
        changed.reduce(into: told) { $0[$1] = .unknown }
    }
}

/// The operator's choices that bear on a plan.
public struct PushRules: Sendable, Hashable {
    /// What becomes of a field that was sent once and is blank now.
    public enum Cleared: String, Sendable, CaseIterable {
        case sendEmpty = "send_empty"
        case omit
    }

    /// What becomes of a user whose reference is another than the one SignalWire was told.
    public enum ReferenceChange: String, Sendable, CaseIterable {
        case hold
        /// A second, billable subscriber.
        case new
    }

    public var cleared: Cleared
    public var referenceChange: ReferenceChange

    public init(cleared: Cleared = .sendEmpty, referenceChange: ReferenceChange = .hold) {
        self.cleared = cleared
        self.referenceChange = referenceChange
    }
}

/// Why a user is held. The raw value is the code in the tables.
public enum HoldReason: String, Sendable, CaseIterable {
    case missingReference = "missing_reference"
    case missingProfile = "missing_profile"
    case referenceChanged = "reference_changed"
    case duplicateReference = "duplicate_reference"
    case newSubscriberLimit = "new_subscriber_limit"
    case massChange = "mass_change"
    case invalidTimeZone = "invalid_time_zone"
    case valueTooLong = "value_too_long"

    /// What is the matter, and what ends it, for the operator.
    public var explanation: String {
        switch self {
        case .missingReference:
            "The reference column is null or blank, or holds a control character; mend it and the user is pushed."
        case .missingProfile:
            "source.profile has no row for the user, and nothing is sent in place of one; add it, and the user is "
                + "pushed when that is noticed: by capture.related, a sweep, or a resync."
        case .referenceChanged:
            "The reference differs from the one SignalWire knows, and a new subscriber would be billed; restore it, "
                + "or take it with `resync --user KEY --accept-reference`."
        case .duplicateReference:
            "Another user has the same reference (compared trimmed and without case); the user follows once it is "
                + "unique, or the other one gone."
        case .newSubscriberLimit:
            "limits.new_subscribers is used up for the last 24 hours; the user follows when it allows, "
                + "or sooner if the limit is raised, or by `approve`."
        case .massChange:
            "So many users changed at once that it looks like a mistake; `approve` pushes them, `reject` doesn't."
        case .invalidTimeZone:
            "The time zone is no name of the tz database, nor one that is translated into one; mend it and the user "
                + "is pushed, or set values.invalid_time_zone to omit."
        case .valueTooLong:
            "A column holds more than \(ValueRules.longestValueBytes / 1024) KiB for one field, and nothing is cut off; "
                + "shorten it and the user is pushed."
        }
    }
}

/// Why nothing is sent for a user any more. The raw value is the status in the tables.
public enum ForgetReason: String, Sendable, CaseIterable {
    case outOfScope = "out_of_scope"
    case deleted
}

/// What the database said to a push that may create a subscriber. The raw value is the SQL function's.
public enum Admission: String, Sendable, Hashable, CaseIterable {
    case admitted
    case duplicate
    case overLimit = "over_limit"
    /// The lease was lost meanwhile; nothing may be sent.
    case leaseLost = "lease_lost"
}

extension Claim {
    /// Whether SignalWire knows the user by another reference, or did, this one was never theirs, and nobody took it.
    fileprivate func asksForNew(_ reference: Reference) -> Bool {
        let wasKnown = admitted != nil || !earlier.isEmpty
        return wasKnown && admitted != reference && accepted != reference && !earlier.contains(reference)
    }
}

extension Standing {
    /// Whether somebody else may have been admitted with this user's reference meanwhile.
    ///
    /// A deleted user's reference is free. One who came back since, and was held or left out of scope
    /// before being asked about again, looks like that.
    fileprivate var mayHaveLostReference: Bool {
        switch self {
        case .deleted, .held, .outOfScope: true
        case .unsynced, .synced, .retrying, .rejected: false
        }
    }
}
