/// How much of the backlog one agent takes into its hands: so much that no call waits for the database, and no more,
/// since what waits in our hands other agents can't take.
///
/// A claim takes the database a millisecond before its first user, and the agent waits for it. Where calls are as fast, a
/// small batch is called before the next is claimed; where they take a second, few are called meanwhile. So the batch
/// becomes what is called during a claim, like the window of TCP: it is doubled where the calls ran out of users, and
/// halved where they would not have run out of half as many.
struct ClaimWindow: Sendable, Hashable {
    /// In what an agent holds at the least.
    private(set) var size = 1

    static let largest = 8

    /// Takes in that a claim came back.
    ///
    /// The next claim begins when half of the capacity is free. Were it half as large, it would have begun with a quarter
    /// fewer, and so as many fewer would have been left.
    ///
    /// - Parameters:
    ///   - waiting: how many of those claimed before still waited for a call.
    ///   - isStarved: whether calls could have begun meanwhile for others that the claim didn't bring in time.
    ///   - capacity: how many might be held.
    mutating func refilled(waiting: Int, isStarved: Bool, capacity: Int) {
        if isStarved {
            size = min(2 * size, ClaimWindow.largest)
        } else if 4 * waiting > capacity {
            size = max(size / 2, 1)
        }
    }
}
