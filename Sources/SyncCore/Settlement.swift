/// What is written down about one claim: the last decision on a user's way.
///
/// The statement that writes it adds what only the database can know: whether the lease still holds,
/// whether the user changed meanwhile, and what time it is.
public struct Settlement: Sendable {
    public let user: UserKey
    public let lease: Lease
    public let version: Int64
    /// `nil`: as it was.
    public let standing: Standing?
    /// When somebody must look again, even if nothing changes.
    public let due: Due
    public let attempts: Attempts
    /// `nil`: as it was.
    public let told: Told?
    /// `nil`: as it was.
    public let subscriber: SubscriberID?
    /// What this settlement says about doubts of earlier times.
    public let doubt: Doubt
    /// Whose subscriber was called, which may be another user's by the time it is settled; `nil`: nobody's.
    public let called: Reference?
    /// What stands in the log table. `nil` for a claim that was handed back untouched.
    public let note: Note?

    /// When somebody must look again.
    public enum Due: Sendable, Hashable {
        case never
        /// Zero: at once.
        case after(Duration)
    }

    /// What becomes of the counted attempt.
    public enum Attempts: String, Sendable {
        /// It succeeded, or there is nothing left to attempt.
        case cleared
        case kept
        /// It was nobody's fault: not the user's, and not this call's.
        case givenBack = "given_back"
    }

    /// What a settlement says about whether `told` is true.
    public enum Doubt: String, Sendable {
        /// SignalWire has exactly this, unless a doubt is younger than the claim.
        case cleared
        case kept
        /// A request without an answer may land for one lease longer.
        case raised
    }

    /// One row of the log table, without what the row already says.
    public struct Note: Sendable, Hashable {
        public let outcome: Outcome
        public let changed: [ProfileField]
        public let problem: Problem?
        public let httpStatus: Int?
        public let requestID: String?
        public let duration: Duration?
    }

    /// The column `outcome` of the log table, as far as settlements write it.
    public enum Outcome: String, Sendable, CaseIterable {
        case accepted, unchanged, rejected, throttled, unavailable, unanswered, held, deleted
        case subscriberIDChanged = "subscriber_id_changed"
        case accountRefused = "account_refused"
        case outOfScope = "out_of_scope"
    }
}

extension Settlement {
    /// Settles a claim for which nothing was sent.
    ///
    /// - Returns: `nil` where the plan is to push: then the answer decides.
    public init?(of claim: Claim, plan: PushPlan) {
        switch plan {
        case .push: return nil
        case .nothing:
            self.init(
                claim, standing: .synced, attempts: .cleared, note: Note(.unchanged, problem: claim.source.omission))
        case .hold(let reason):
            let problem = Problem(code: reason.rawValue, message: reason.explanation)
            self.init(claim, standing: .held, attempts: .cleared, note: Note(.held, problem: problem))
        case .forget(let reason):
            // Which fields were sent is no secret and is needed if the user returns; what they were is.
            let erased = claim.told.mapValues { _ in FieldDigest.unknown }
            self.init(
                claim, standing: reason.standing, attempts: .cleared, told: erased, note: Note(reason.outcome))
        }
    }

    /// Holds a push that the brake on mass changes keeps from being sent; the log says what it would have changed.
    public init(braking claim: Claim, push: Push) {
        let reason = HoldReason.massChange
        let problem = Problem(code: reason.rawValue, message: reason.explanation)
        let note = Note(
            outcome: .held, changed: push.changed, problem: problem, httpStatus: nil, requestID: nil, duration: nil)
        self.init(claim, standing: .held, attempts: .cleared, note: note)
    }

    /// Hands a claim back as it was: nothing was sent, and somebody else may take it at once.
    public init(releasing claim: Claim) {
        self.init(claim, standing: nil, due: .after(.zero), attempts: .givenBack, note: nil)
    }

    /// Settles a push by its answer.
    public init(of claim: Claim, push: Push, answer: PushAnswer, using random: inout SeededRandom) {
        switch answer.outcome {
        case .accepted(let subscriber):
            let isKnown = claim.subscriber == nil || push.reference != claim.admitted
            let isChanged = !isKnown && claim.subscriber != subscriber
            self.init(
                claim, standing: .synced, attempts: .cleared, told: push.toldAfterwards, subscriber: subscriber,
                doubt: .cleared, called: push.reference,
                note: Note(isChanged ? .subscriberIDChanged : .accepted, push, push.omission, answer))
        case .rejected(let problem):
            self.init(
                claim, standing: .rejected, attempts: .kept, called: push.reference,
                note: Note(.rejected, push, problem, answer))
        case .throttled(let wait, let problem):
            let wait = wait ?? Backoff.push.delay(afterFailures: 1, using: &random)
            self.init(
                claim, standing: nil, due: .after(wait), attempts: .givenBack, called: push.reference,
                note: Note(.throttled, push, problem, answer))
        case .account(let problem):
            self.init(
                claim, standing: nil, due: .after(.zero), attempts: .givenBack, called: push.reference,
                note: Note(.accountRefused, push, problem, answer))
        case .unavailable(let problem, let reach):
            self.init(
                claim, push, problem, reach, answer, Backoff.push.delay(afterFailures: claim.attempt, using: &random))
        }
    }

    private init(
        _ claim: Claim, _ push: Push, _ problem: Problem, _ reach: Reach, _ answer: PushAnswer, _ wait: Duration
    ) {
        let told = push.toldIfInDoubt(push.reference == claim.admitted ? claim.told : [:])
        switch reach {
        case .notSent:
            self.init(
                claim, standing: .retrying, due: .after(wait), attempts: .kept, called: push.reference,
                note: Note(.unavailable, push, problem, answer))
        case .answered:
            self.init(
                claim, standing: .retrying, due: .after(wait), attempts: .kept, told: told,
                called: push.reference, note: Note(.unavailable, push, problem, answer))
        case .unanswered:
            self.init(
                claim, standing: .retrying, due: .after(wait), attempts: .kept, told: told, doubt: .raised,
                called: push.reference, note: Note(.unanswered, push, problem, answer))
        }
    }

    private init(
        _ claim: Claim, standing: Standing?, due: Due = .never, attempts: Attempts, told: Told? = nil,
        subscriber: SubscriberID? = nil, doubt: Doubt = .kept, called: Reference? = nil, note: Note?
    ) {
        user = claim.user
        lease = claim.lease
        version = claim.version
        self.standing = standing
        self.due = due
        self.attempts = attempts
        self.told = told
        self.subscriber = subscriber
        self.doubt = doubt
        self.called = called
        self.note = note
    }
}

extension Settlement.Note {
    fileprivate init(_ outcome: Settlement.Outcome, problem: Problem? = nil) {
        self.init(
            outcome: outcome, changed: [], problem: problem, httpStatus: nil, requestID: nil, duration: nil)
    }

    fileprivate init(_ outcome: Settlement.Outcome, _ push: Push, _ problem: Problem?, _ answer: PushAnswer) {
        self.init(
            outcome: outcome, changed: push.changed, problem: problem, httpStatus: answer.httpStatus,
            requestID: answer.requestID, duration: answer.duration)
    }
}

extension ForgetReason {
    fileprivate var standing: Standing {
        switch self {
        case .outOfScope: .outOfScope
        case .deleted: .deleted
        }
    }

    fileprivate var outcome: Settlement.Outcome {
        switch self {
        case .outOfScope: .outOfScope
        case .deleted: .deleted
        }
    }
}
