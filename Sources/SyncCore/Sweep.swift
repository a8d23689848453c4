/// Which sweep: they share their engine and differ in whom they compare.
public enum SweepKind: String, Sendable, CaseIterable {
    /// Every user of the source, then everybody who is known and may be gone.
    case full
    /// Those whose `source.updated_at` is young: what makes polling a large table cheap.
    case recent
}

/// Why a sweep began. The raw value stands in the tables.
public enum SweepReason: Sendable, Hashable {
    /// The first: it writes down who is there, and pushes nobody.
    case baseline
    /// The mapping that agents send by is another: what rows look like under it is written down.
    case mapping
    /// Somebody asked: TRUNCATE, `watch()`, an operator, an agent that found capture broken.
    case requested(String)
    /// The interval has passed.
    case periodic
    /// `capture.mode` is `poll`, or the triggers are not as they should be.
    case poll

    public var text: String {
        switch self {
        case .baseline: "baseline"
        case .mapping: "mapping_changed"
        case .requested(let reason): reason
        case .periodic: "periodic"
        case .poll: "poll"
        }
    }

    /// Reads it back from the tables.
    public init(text: String) {
        switch text {
        case "baseline": self = .baseline
        case "mapping_changed": self = .mapping
        case "periodic": self = .periodic
        case "poll": self = .poll
        case let reason: self = .requested(reason)
        }
    }

    /// Whether a difference that it finds is a change that something should have told: drift.
    public var findsDrift: Bool {
        switch self {
        case .baseline, .mapping, .poll: false
        case .requested, .periodic: true
        }
    }
}

/// Which way a sweep goes through the users.
public enum SweepLeg: String, Sendable, CaseIterable {
    /// Through the source. → `known`; for a recent sweep, the end.
    case source
    /// Through the state table, for those who are gone from the source. → the end
    case known
}

/// How far one kind of sweep is, as an agent found it under the row's lock.
public struct SweepState: Sendable, Hashable {
    /// One that has begun and not ended.
    public struct UnderWay: Sendable, Hashable {
        public let reason: SweepReason
        public let leg: SweepLeg
        /// The last key of the page before; `nil`: none was taken on this leg.
        public let reached: String?

        public init(reason: SweepReason, leg: SweepLeg, reached: String?) {
            self.reason = reason
            self.leg = leg
            self.reached = reached
        }
    }

    public let underWay: UnderWay?
    /// Zero or less: now. The distance that pages keep over all agents.
    public let untilNextPage: Duration
    /// `nil`: none has ended yet.
    public let sinceFinished: Duration?
    /// Whether the first sweep has ended.
    public let hasBaseline: Bool
    /// Why somebody asked for a full sweep.
    public let requests: [String]
    /// Whether so many changes wait to be folded that comparing would only add to them.
    public let isBacklogged: Bool
    /// Whether the fleet sends by another mapping than this agent: comparing by its own would undo what the others
    /// wrote down.
    public let isOthers: Bool

    public init(
        underWay: UnderWay?, untilNextPage: Duration, sinceFinished: Duration?, hasBaseline: Bool, requests: [String],
        isBacklogged: Bool, isOthers: Bool = false
    ) {
        self.underWay = underWay
        self.untilNextPage = untilNextPage
        self.sinceFinished = sinceFinished
        self.hasBaseline = hasBaseline
        self.requests = requests
        self.isBacklogged = isBacklogged
        self.isOthers = isOthers
    }
}

/// How one kind of sweep is to go.
public struct SweepSchedule: Sendable, Hashable {
    public var kind: SweepKind
    /// From the end of one to the beginning of the next; `nil`: only when somebody asks.
    public var interval: Duration?
    /// Why one begins when the interval has passed.
    public var reason: SweepReason

    public init(kind: SweepKind, interval: Duration?, reason: SweepReason) {
        self.kind = kind
        self.interval = interval
        self.reason = reason
    }
}

/// What is to be done about a sweep next.
public enum SweepStep: Sendable, Hashable {
    /// None is under way and none is due; look again when this has passed.
    case rest(Duration)
    /// One is under way, and its next page is due when this has passed.
    case wait(Duration)
    case begin(SweepReason)
    case page(SweepReason, SweepLeg, after: String?)

    /// The longest that nobody looks, so that a request is met soon.
    public static let longestWait = Duration.seconds(5)
    /// How soon to look again at a backlog.
    static let backlogWait = Duration.seconds(1)

    /// Decides from what was found. A recent sweep means nothing before everybody was written down once.
    public init(for state: SweepState, schedule: SweepSchedule) {
        if state.isOthers {
            self = .rest(SweepStep.longestWait)
        } else if let underWay = state.underWay {
            if state.isBacklogged {
                self = .wait(SweepStep.backlogWait)
            } else if state.untilNextPage > .zero {
                self = .wait(state.untilNextPage)
            } else {
                self = .page(underWay.reason, underWay.leg, after: underWay.reached)
            }
        } else {
            self = SweepStep.beginning(for: state, schedule: schedule)
        }
    }

    private static func beginning(for state: SweepState, schedule: SweepSchedule) -> SweepStep {
        switch schedule.kind {
        case .full:
            guard state.hasBaseline else { return .begin(.baseline) }
            if let reason = state.requests.first { return .begin(SweepReason(text: reason)) }
        case .recent:
            guard state.hasBaseline else { return .rest(longestWait) }
        }
        guard let interval = schedule.interval else { return .rest(longestWait) }
        guard let since = state.sinceFinished, since < interval else { return .begin(schedule.reason) }
        return .rest(min(interval - since, longestWait))
    }
}

/// Where a sweep goes after a page.
public enum SweepAdvance: Sendable, Hashable {
    /// The page was full: there may be more behind its last key.
    case next(after: String)
    case leg(SweepLeg)
    case end

    public init(kind: SweepKind, leg: SweepLeg, lastKey: String?, isFull: Bool) {
        if isFull, let lastKey {
            self = .next(after: lastKey)
            return
        }
        switch (kind, leg) {
        case (.full, .source): self = .leg(.known)
        case (.full, .known), (.recent, _): self = .end
        }
    }
}
