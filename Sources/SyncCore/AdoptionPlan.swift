/// What is to be done about one user whose subscriber may exist at SignalWire already.
public enum AdoptionPlan: Sendable {
    case adopt(Adoption)
    /// A subscriber is known for the user; whether it is still there is a question of `resync --verify`.
    case known
    /// SignalWire lists nobody with the reference.
    case unmatched
    /// Several users or several subscribers have the reference, or a call was made for the user under another one:
    /// nothing is filled in, because a wrong pair would push one person's profile over another's.
    case ambiguous
    /// Out of scope, gone, or without profile or reference.
    case notCompared

    public init(for claim: Claim, in directory: RemoteDirectory, rules: PushRules) {
        switch claim.source {
        case .deleted, .outOfScope, .withoutProfile, .present(nil, _, _): self = .notCompared
        case .present(.some(let reference), _, _):
            guard claim.subscriber == nil else {
                self = .known
                return
            }
            switch directory.match(reference) {
            case .nobody: self = .unmatched
            case .several: self = .ambiguous
            case .one(let record):
                guard let spelled = record.reference, claim.admitted == nil || claim.admitted == spelled else {
                    self = .ambiguous
                    return
                }
                self = .adopt(Adoption(claim, record, spelled, isSpelledOtherwise: spelled != reference, rules))
            }
        }
    }
}

/// A user and the subscriber that turned out to be theirs.
public struct Adoption: Sendable {
    public let user: UserKey
    /// What was compared: a row that wants a newer version is left alone.
    public let version: Int64
    /// As SignalWire spells it. The user's own may differ in case; then a push is held as `reference_changed`, because
    /// nobody knows whether SignalWire takes both for one.
    public let reference: Reference
    public let subscriber: SubscriberID
    /// What SignalWire has, as far as the list shows it: the hash of a field that is as the row says, unknown for one
    /// that differs, and none for a blank one.
    public let told: Told
    /// Whether SignalWire has what the row says, so that nothing is left to push.
    public let isSame: Bool
    public let isSpelledOtherwise: Bool

    init(
        _ claim: Claim, _ record: RemoteRecord, _ reference: Reference, isSpelledOtherwise: Bool, _ rules: PushRules
    ) {
        let known = claim.beside(record, admitted: reference)
        user = claim.user
        version = claim.version
        self.reference = reference
        subscriber = record.id
        told = known.told
        isSame = PushPlan(for: known, rules: rules).isSettled
        self.isSpelledOtherwise = isSpelledOtherwise
    }
}

extension PushPlan {
    /// Whether SignalWire has been told everything. A user who was held is asked about again, whatever changed.
    fileprivate var isSettled: Bool {
        switch self {
        case .nothing: true
        case .push(let push): push.changed.isEmpty
        case .hold, .forget: false
        }
    }
}
