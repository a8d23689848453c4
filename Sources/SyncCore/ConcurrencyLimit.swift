/// How many calls may be in flight at once: what the operator set, or less while SignalWire has enough.
///
/// **Algorithm.** AIMD, additive increase and multiplicative decrease (Chiu and Jain, "Analysis of the Increase and
/// Decrease Algorithms for Congestion Avoidance in Computer Networks", 1989; `AIMDLimit` in Netflix's
/// concurrency-limits). Two signs lower the limit: an answer that says so (429, 5xx) or doesn't come, and latency that
/// grows with the load, which is a queue. As many answers as may be in flight without a sign raise it by one.
///
/// **Why this one.** There is a ceiling, which the operator chose, and it is right nearly always: so the limit starts
/// there, and its work is to give way and to come back. AIMD needs no model for that, and clients that share a server
/// converge to equal parts, which agents of one account do. Netflix's `Gradient2` compares latency with its own average
/// over a long time, which a queue that stays becomes part of: it protects a server from bursts, but would let us
/// settle on any queue. TCP Vegas compares with the lowest latency ever seen, and starves where the way to the API has
/// become longer. Here lowering is also the question: latency that doesn't fall with our load isn't a queue of ours,
/// and becomes what is normal.
public struct ConcurrencyLimit: Sendable, Hashable {
    /// What the operator set: never exceeded, and where it starts.
    public let ceiling: Int
    /// At least 1.
    public private(set) var value: Int
    /// Calls that began before this say nothing about the limit as it is.
    private var loweredAt: Instant?
    /// Answers since the limit was changed.
    private var answers = 0
    /// What calls took since they were judged last.
    private var latencies: [Duration] = []
    /// What half of the calls stayed under, in each judgement of late. The lowest is normal: there is one from after
    /// each time that the limit was lowered, when nothing waited.
    private var medians: [Duration] = []
    /// The same in the judgement that lowered the limit, until it is seen whether that helped.
    private var suspected: Duration?

    public init(ceiling: Int) {
        self.ceiling = max(1, ceiling)
        value = self.ceiling
    }

    /// So many answers raise the limit, or are judged, at the least: a few decide nothing.
    private static let shortestRound = 16
    /// A queue that costs less than this isn't worth giving way to, and can't be told from a busy processor.
    private static let shortestQueue = Duration.milliseconds(25)

    /// Takes in an answer.
    ///
    /// - Parameter inFlight: calls in flight just before it came, its own included. Where the limit is less than half
    ///   used, something else is what limits, and the answer says nothing about it.
    public mutating func hear(_ answer: PushAnswer, at now: Instant, inFlight: Int) {
        let began = Instant(nanoseconds: now.nanoseconds &- answer.duration.nanoseconds)
        guard 2 * inFlight >= value, loweredAt.map({ began >= $0 }) ?? true else { return }
        switch answer.outcome {
        case .accepted:
            answers += 1
            latencies.append(answer.duration)
        case .rejected:
            // It was answered, and so in time; but a refusal takes another time than the work.
            answers += 1
        case .throttled, .unavailable:
            suspected = nil
            lower(to: value / 2, at: now)
        case .account: break
        }
        if latencies.count >= max(value, ConcurrencyLimit.shortestRound) { judge(at: now) }
        if answers >= max(value, ConcurrencyLimit.shortestRound) {
            answers = 0
            value = min(ceiling, value + 1)
        }
    }

    /// Three of four calls took more than twice what half of them take normally: that is a queue, if it is long enough.
    ///
    /// Comparing a quarter with a half leaves latencies alone that only differ much from call to call.
    private mutating func judge(at now: Instant) {
        latencies.sort()
        let (fastest, quartile, median) = (latencies[0], latencies[latencies.count / 4], latencies[latencies.count / 2])
        latencies = []
        if let suspected, median.nanoseconds / 9 > suspected.nanoseconds / 10 { medians = [] }
        suspected = nil
        // Of the very first calls one had no other in front of it.
        medians.append(medians.isEmpty && loweredAt == nil ? fastest : median)
        // Rising from the lowest point to the highest takes half of this.
        if medians.count > 2 * ceiling + ConcurrencyLimit.shortestRound { medians.removeFirst() }
        let normal = medians.min() ?? median
        guard quartile.nanoseconds / 2 > normal.nanoseconds, quartile - normal > ConcurrencyLimit.shortestQueue else {
            return
        }
        suspected = median
        // Below the point at which the queue began, so that it empties and what is normal is seen again.
        lower(to: (2 * value + 4) / 5, at: now)
    }

    /// At most once a round trip: what began before is not heard afterwards.
    private mutating func lower(to lower: Int, at now: Instant) {
        value = max(1, lower)
        loweredAt = now
        answers = 0
        latencies = []
    }
}
