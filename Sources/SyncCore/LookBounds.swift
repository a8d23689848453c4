/// Where a look at what is due and at what changed may begin, so that it needn't pass over what is gone.
///
/// A transaction that stays open keeps every row version that was dead since it began: those of a queue's table and
/// index lie in front of the live ones, and each look passes over all of them. So a look remembers how far it came,
/// and the next ones begin there. What may lie before that (a page whose space was used again) is found by a whole
/// look: the first one, each second, and whenever a look found nothing.
public struct LookBounds: Sendable, Hashable {
    /// How far a look came.
    public struct Reached: Sendable, Hashable {
        /// Nothing is due before this, as the database writes a time.
        public let due: String
        /// Nothing is left of the changes before this place in their table; `nil`: none was taken.
        public let change: String?

        public init(due: String, change: String?) {
            self.due = due
            self.change = change
        }
    }

    /// How often a look is a whole one.
    public static let wholeInterval = Duration.seconds(1)

    private var reached: Reached?
    private var wholeAt = Instant(nanoseconds: 0)

    public init() {}

    /// Where the next look begins; `nil`: it is a whole one.
    public func next(at now: Instant) -> Reached? {
        guard now - wholeAt < LookBounds.wholeInterval else { return nil }
        return reached
    }

    /// Takes a look in.
    ///
    /// - Parameter start: where it began; `nil`: it was a whole one.
    public mutating func looked(from start: Reached?, reached: Reached, folded: Int, at now: Instant) {
        if start == nil { wholeAt = now }
        guard folded > 0 else {
            self.reached = nil
            return
        }
        // Only a whole look knows what is due first.
        self.reached = Reached(due: start?.due ?? reached.due, change: reached.change ?? start?.change)
    }
}
