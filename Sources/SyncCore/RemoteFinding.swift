/// How a user stands beside what SignalWire has.
public enum RemoteFinding: Sendable, Equatable {
    case same
    /// A push makes these right.
    case differs([ProfileField])
    /// Another subscriber has the reference than the one that is known: it was deleted there, and made anew. A push
    /// makes the fields right, and brings the new id.
    case replaced([ProfileField])
    /// The known subscriber is gone, and nobody has its reference: a push would create another one, which is billed.
    case missing
    /// The known subscriber has another reference by now: a push would create another one, which is billed.
    case renamed
    /// It isn't known here which subscriber is the user's, and SignalWire has one with the reference.
    case adoptable
    /// Neither known here nor listed there: never pushed.
    case absent
    /// Several have the reference, and no id says who is meant.
    case ambiguous
    /// Not to be pushed, so not compared.
    case held(HoldReason)
    /// Out of scope, gone, or without profile or reference.
    case notCompared

    public init(for claim: Claim, in directory: RemoteDirectory, rules: PushRules) {
        switch claim.source {
        case .deleted, .outOfScope, .withoutProfile, .present(nil, _, _): self = .notCompared
        case .present(.some(let reference), _, _):
            guard let subscriber = claim.subscriber, let admitted = claim.admitted else {
                self = RemoteFinding(ofUnknown: reference, in: directory)
                return
            }
            if let record = directory.record(of: subscriber, expecting: admitted) {
                self = record.reference == nil ? .renamed : RemoteFinding(claim, beside: record, rules)
                return
            }
            switch directory.match(admitted) {
            case .one(let record) where record.reference == admitted:
                self = RemoteFinding(claim, beside: record, rules).withAnotherSubscriber
            case .nobody, .one: self = .missing
            case .several: self = .ambiguous
            }
        }
    }

    private init(ofUnknown reference: Reference, in directory: RemoteDirectory) {
        switch directory.match(reference) {
        case .nobody: self = .absent
        case .one: self = .adoptable
        case .several: self = .ambiguous
        }
    }

    /// The plan that an agent would make if SignalWire had been told what it has.
    private init(_ claim: Claim, beside record: RemoteRecord, _ rules: PushRules) {
        switch PushPlan(for: claim.beside(record), rules: rules) {
        case .nothing: self = .same
        case .push(let push): self = push.changed.isEmpty ? .same : .differs(push.changed)
        case .hold(let reason): self = .held(reason)
        case .forget: self = .notCompared
        }
    }

    private var withAnotherSubscriber: RemoteFinding {
        switch self {
        case .same: .replaced([])
        case .differs(let fields): .replaced(fields)
        case .replaced, .missing, .renamed, .adoptable, .absent, .ambiguous, .held, .notCompared: self
        }
    }
}

extension Claim {
    /// The claim as it would be if SignalWire had been told exactly what it has.
    ///
    /// - Parameter admitted: the reference it knows the user by; `nil`: as the claim says.
    func beside(_ record: RemoteRecord, admitted reference: Reference? = nil) -> Claim {
        var believed = told
        if case .present(_, let profile, let digests) = source {
            believed = record.told(beside: profile, digests, otherwise: told)
        }
        return Claim(
            user: user, lease: lease, version: version, attempt: attempt, standing: standing, source: source,
            admitted: reference ?? admitted, subscriber: record.id, told: believed, isDoubted: false,
            isResync: isResync, earlier: earlier, accepted: accepted)
    }
}
