import Foundation
import SyncSimulation
import Testing

@Suite("The simulation")
struct SimulationTests {
    @Test("Every promise holds over all seeds")
    func promises() {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["SUBSCRIBER_SYNC_SEEDS"].flatMap { UInt64($0) } ?? 300
        let first = environment["SUBSCRIBER_SYNC_SEED"].flatMap { UInt64($0) }
        var figures = SimulationFigures()
        var broken = 0
        let start = Date()
        for seed in first.map({ $0...$0 }) ?? 1...count {
            switch Simulation.run(seed: seed) {
            case .held(let f): figures += f
            case .broken(let failure):
                broken += 1
                if broken <= 3 { print(failure) } else { print(failure.seed, failure.violation) }
            }
        }
        print(figures, broken, Date().timeIntervalSince(start))
        #expect(broken == 0)
    }
}
