import SyncCore
import SyncSimulation

/// Claims to decide about, with one thing at a time different from a user who is in sync.
enum Sample {
    static let mapped: [ProfileField] = [.firstName, .jobTitle]
    static let user = UserKey("7")
    static let reference = Reference("ann@example.org")
    static let other = Reference("bea@example.org")
    static let subscriber = SubscriberID("32d94154-9297-418c-9a85-4a69e0c67c30")
    static let otherSubscriber = SubscriberID("5b000000-0000-4000-8000-000000000001")
    static let ann: [ProfileField: String?] = [.firstName: "Ann", .jobTitle: "Nurse"]
    static let problem = Problem(code: "some_code", message: "Something.")

    static func present(_ reference: Reference?, _ columns: [ProfileField: String?] = ann) -> SourceState {
        let profile = Profile(columns: columns)
        return .present(reference, profile, modelDigests(of: profile, mapped: mapped))
    }

    /// What SignalWire was told when it was told these columns.
    static func told(_ columns: [ProfileField: String?] = ann) -> Told {
        modelDigests(of: Profile(columns: columns), mapped: mapped).values.mapValues { .known($0) }
    }

    static func claim(
        source: SourceState? = nil, admitted: Reference? = reference, subscriber: SubscriberID? = subscriber,
        standing: Standing = .synced, told: Told = told(), isDoubted: Bool = false, attempt: Int = 1, lease: Int64 = 1,
        user: UserKey = user
    ) -> Claim {
        Claim(
            user: user, lease: Lease(token: lease), version: 3, attempt: attempt, standing: standing,
            source: source ?? present(reference), admitted: admitted, subscriber: subscriber, told: told,
            isDoubted: isDoubted)
    }

    /// A job whose push is due to a doubt: everything else is in sync.
    static func job(_ lease: Int64 = 1, claimedAt: Instant = Instant(nanoseconds: 0)) -> Job? {
        let claim = claim(isDoubted: true, lease: lease, user: UserKey("u\(lease)"))
        return PushPlan(for: claim, rules: PushRules()).push.map { Job(claim: claim, push: $0, claimedAt: claimedAt) }
    }
}

extension PushPlan {
    var push: Push? {
        switch self {
        case .push(let push): push
        case .nothing, .hold, .forget: nil
        }
    }

    /// One word for the plan, to compare with.
    var word: String {
        switch self {
        case .nothing: "nothing"
        case .push: "push"
        case .hold(let reason): reason.rawValue
        case .forget(let reason): reason.rawValue
        }
    }
}
