/// Tells a wrong configuration from wrong users: a circuit breaker on equal rejections.
///
/// One rejected user is that user's business. Many different ones in a row with the same rejection, and no success
/// between, are the space's, the application's or the mapping's; going on would park everybody, one call each.
struct RejectionBreaker: Sendable {
    /// How many users in a row; 0: never.
    let threshold: Int
    private var streak: Streak?

    /// Equal rejections without a success between.
    private struct Streak: Sendable {
        let code: String
        let attribute: String?
        /// When the first of them was answered.
        let since: Instant
        var users: Set<UserKey>
    }

    init(threshold: Int) { self.threshold = threshold }

    /// Takes an answer in.
    ///
    /// - Returns: what to suspect, where this answer was one too many. The count begins anew then.
    mutating func take(_ outcome: PushOutcome, of user: UserKey, at now: Instant) -> Suspicion? {
        switch outcome {
        case .accepted: streak = nil
        case .rejected(let problem): return count(problem, user, now)
        // These say nothing about what was sent.
        case .throttled, .unavailable, .account: break
        }
        return nil
    }

    private mutating func count(_ problem: Problem, _ user: UserKey, _ now: Instant) -> Suspicion? {
        guard threshold > 0 else { return nil }
        var current = streak ?? Streak(code: problem.code, attribute: problem.attribute, since: now, users: [])
        if current.code != problem.code || current.attribute != problem.attribute {
            current = Streak(code: problem.code, attribute: problem.attribute, since: now, users: [])
        }
        current.users.insert(user)
        guard current.users.count >= threshold else {
            streak = current
            return nil
        }
        streak = nil
        return Suspicion(problem: problem, users: current.users.count, lasting: now - current.since)
    }
}

/// Why the configuration is suspected.
public struct Suspicion: Sendable, Hashable {
    public let problem: Problem
    /// How many users in a row met it.
    public let users: Int
    /// How long ago the first of them was answered.
    public let lasting: Duration

    public init(problem: Problem, users: Int, lasting: Duration) {
        self.problem = problem
        self.users = users
        self.lasting = lasting
    }

    /// A sentence for the operator.
    public var reason: String {
        let attribute = problem.attribute.map { " (\($0))" } ?? ""
        return "\(users) users in a row were rejected alike, with \(problem.code)\(attribute): \(problem.message) "
            + "It looks like the configuration (space, application_id, mapping), not like the users."
    }
}
