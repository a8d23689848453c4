/// Decides when to count how many known users have changed lately, and whether those are too many: it looks like a bad
/// migration of the application's, and everybody's profile at SignalWire would be overwritten.
///
/// Counting costs the database something, so it isn't done for each claim: as long as fewer were folded, and fewer
/// pushed, since the last count than were missing to the limit then, over all agents, the limit can't have been reached.
/// Pushes count besides changes, because what one agent folded another may push: the first may be gone, or could not read
/// the source. And what waits to be folded is counted with the rest: once when a claim first leaves some behind, so that a
/// migration which changes everybody is held before the first of them is pushed.
///
/// Nor is everybody counted: of the known users no more than make the limit twice what has changed. Few changes are then
/// told from many as fast among a million users as among a thousand, and while they double, it is counted anew once.
public struct BlastGauge: Sendable {
    /// Percent of the known users; 0: no limit.
    let sharePercent: Int
    /// From how many known users on there is a limit.
    public let fewest: Int
    /// Below, a share says nothing: half of four users change every day.
    public static let fewest = 200
    /// The window in which changes are counted.
    public static let window = Duration.seconds(600)
    /// How long a count holds while changes come in.
    public static let countHolds = Duration.seconds(10)

    /// What was missing to the limit at the last count. `nil`: none was made.
    private var headroom: Int?
    private var countedAt = Instant(nanoseconds: 0)
    private var foldedSince = 0
    private var pushedSince = 0
    /// Whether the last claim left changes behind.
    private var isBacklogged = false

    public init(sharePercent: Int, fewest: Int = BlastGauge.fewest) {
        self.sharePercent = sharePercent
        self.fewest = fewest
    }

    /// Takes in a claim.
    ///
    /// - Parameters:
    ///   - changes: how many changes it folded.
    ///   - leavesMore: whether there may be more that it didn't.
    ///   - pushes: how many of its users would be overwritten at SignalWire, unasked.
    ///   - agents: how many fold.
    /// - Returns: whether to count before anybody of that claim is pushed.
    public mutating func claimed(
        folding changes: Int, leavingMore leavesMore: Bool, overwriting pushes: Int, agents: Int, at now: Instant
    ) -> Bool {
        if leavesMore, !isBacklogged { headroom = nil }
        isBacklogged = leavesMore
        guard sharePercent > 0, changes > 0 || pushes > 0 else { return false }
        foldedSince += changes
        pushedSince += pushes
        guard let headroom, now - countedAt < BlastGauge.countHolds else { return true }
        return max(foldedSince, pushedSince) * max(1, agents) >= headroom
    }

    /// Takes in a count.
    ///
    /// - Parameters:
    ///   - changed: the most known users who changed within one window.
    ///   - known: subscribers that were there before the window; no more than are worth counting.
    /// - Returns: whether those are too many.
    public mutating func counted(changed: Int, of known: Int, at now: Instant) -> Bool {
        countedAt = now
        foldedSince = 0
        pushedSince = 0
        guard let limit = limit(of: known) else {
            // Those who come to be known need no change for it, so there is nothing to go by; and few are soon counted.
            headroom = 0
            return false
        }
        headroom = max(0, limit - changed)
        return changed > limit
    }

    /// How many known users are worth counting for each one that changed, and `fewest` in any case: with so many, twice as
    /// many may change.
    public var knownPerChange: Int { sharePercent > 0 ? (200 + sharePercent - 1) / sharePercent : 0 }

    /// How many may change; `nil`: any number.
    public func limit(of known: Int) -> Int? {
        guard sharePercent > 0, known >= fewest else { return nil }
        return known * sharePercent / 100
    }
}
