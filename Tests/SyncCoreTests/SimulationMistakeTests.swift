import SyncSimulation
import Testing

/// A simulation that can't see a mistake proves nothing: each of these takes one safeguard away, and must be caught.
@Suite("The simulation sees")
struct SimulationMistakeTests {
    @Test("the planted mistake", arguments: Mistake.allCases)
    func seen(mistake: Mistake) {
        let seed = (UInt64(1)...3000).first { seed in
            switch Simulation.run(seed: seed, mistakes: [mistake]) {
            case .held: false
            case .broken: true
            }
        }
        print(mistake, seed ?? 0)
        #expect(seed != nil, "No seed of 3000 shows \(mistake).")
    }
}
