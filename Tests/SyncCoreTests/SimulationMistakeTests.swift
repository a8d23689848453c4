import SyncSimulation
import Testing

@Suite("A planted mistake is found")
struct SimulationMistakeTests {
    @Test("by some seed", arguments: Mistake.allCases)
    func found(mistake: Mistake) {
        var n = 0
        for seed in UInt64(1)...5000 {
            if case .broken(let failure) = Simulation.run(seed: seed, mistakes: [mistake]) {
                n += 1
                print(mistake, seed, failure.violation)
                if n >= 3 { return }
            }
        }
        Issue.record("\(mistake) \(n)")
    }
}
