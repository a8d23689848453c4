/// A mistake that the model can be told to make, to prove that the simulation would see it.
///
/// Each takes away one safeguard of the store or of the shell around the dispatcher. None touches `SyncCore`.
public enum Mistake: String, Sendable, Hashable, CaseIterable {
    /// A settlement is written whoever holds the lease now.
    case noFence
    /// A settlement whose lease was lost is dropped without making the user due again.
    case noRedirtyAfterLostLease
    /// Nobody looks by itself: a lost notification is never made up for.
    case listenWithoutPolling
    /// The reference and the admission are stored with the answer, not before the call.
    case referenceNotWrittenAhead
    /// A settlement ends the wish even where a newer one came meanwhile.
    case settleWithoutVersion
    /// A claim may push a profile that was read before the change that it answers.
    case staleRead
    /// Whoever takes over an ended lease believes that its call can't land any more.
    case noDoubtAfterTakeover
    /// A lost settlement of a call without an answer says nothing of its landing later.
    case lostDoubtEndsAtOnce
    /// A user who returns from deletion isn't seen by another with the same reference until settled.
    case returningUserUnseen
    /// Who takes over the reference of a deleted user knows nothing of what was sent for that one.
    case predecessorForgotten
    /// Nobody remembers the pairs that were left: a return is taken for a new subscriber, and knows nothing of the old.
    case pairsForgotten
    /// A lost call is taken for one to the subscriber that the user has now.
    case lateCallTakenForCurrent
    /// Whoever asks for another reference keeps theirs until it is granted.
    case referenceKeptUntilGranted
    /// Nobody asks whether changes are held, or too many.
    case brakeNotAsked
    /// Changes are counted only in the window that ends now, not in that in which they were made.
    case brakeLooksOnlyBack
    /// What somebody else folded is pushed without counting.
    case brakeCountsOnlyFolds
    /// An operator's answer makes users due who are in flight.
    case approvalEndsLeases
    /// Pushing goes on though users in a row were rejected alike.
    case suspicionIgnored

    /// Whether it only shows in a run that has brakes.
    public var concernsBrakes: Bool {
        switch self {
        case .brakeNotAsked, .brakeLooksOnlyBack, .brakeCountsOnlyFolds, .approvalEndsLeases, .suspicionIgnored: true
        case .noFence, .noRedirtyAfterLostLease, .listenWithoutPolling, .referenceNotWrittenAhead,
            .settleWithoutVersion, .staleRead, .noDoubtAfterTakeover, .lostDoubtEndsAtOnce, .returningUserUnseen,
            .predecessorForgotten, .pairsForgotten, .lateCallTakenForCurrent, .referenceKeptUntilGranted:
            false
        }
    }
}
