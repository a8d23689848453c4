import SyncSimulation
import Testing

/// A simulation that can't see a mistake proves nothing: each of these takes one safeguard away, and must be caught.
@Suite("The simulation sees")
struct SimulationMistakeTests {
    @Test("the planted mistake", arguments: Mistake.allCases)
    func seen(mistake: Mistake) {
        let first = Self.start(for: mistake)
        let seed = (first..<first + 2000).first { seed in
            switch Simulation.run(seed: seed, mistakes: [mistake], hasBrakes: mistake.concernsBrakes) {
            case .held: false
            case .broken: true
            }
        }
        #expect(seed != nil, "None of 2000 seeds shows \(mistake).")
    }

    /// Where the search begins: a little before a seed that is known to show a mistake which few do. Where
    /// the simulation changed since, the search goes on from there, and only takes longer.
    private static func start(for mistake: Mistake) -> UInt64 {
        switch mistake {
        case .approvalEndsLeases, .brakeCountsOnlyFolds, .lateCallTakenForCurrent: 170
        case .lostDoubtEndsAtOnce: 450
        case .noDoubtAfterTakeover: 810
        case .returningUserUnseen: 1170
        case .noFence, .noRedirtyAfterLostLease, .listenWithoutPolling, .referenceNotWrittenAhead,
            .settleWithoutVersion, .staleRead, .predecessorForgotten, .pairsForgotten, .referenceKeptUntilGranted,
            .brakeNotAsked, .brakeLooksOnlyBack, .suspicionIgnored:
            1
        }
    }
}
