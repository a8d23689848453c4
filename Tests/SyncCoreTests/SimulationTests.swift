import Foundation
import SyncSimulation
import Testing

/// Several real dispatchers, a model of the database and a model of SignalWire, in virtual time.
///
/// 400 seeds by default; `SUBSCRIBER_SYNC_SEEDS` says how many, `SUBSCRIBER_SYNC_SEED` which one alone.
@Suite("The simulation")
struct SimulationTests {
    private static let slices = 4

    /// The seeds of one slice, so that the slices run beside each other.
    private static func seeds(of slice: Int) -> [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["SUBSCRIBER_SYNC_SEED"].flatMap({ UInt64($0) }) { return slice == 0 ? [one] : [] }
        let count = environment["SUBSCRIBER_SYNC_SEEDS"].flatMap { UInt64($0) } ?? 400
        return (1...max(1, count)).filter { $0 % UInt64(slices) == UInt64(slice) }
    }

    @Test("I1, I3, I5 and I6 hold whatever happens", arguments: 0..<slices)
    func promises(slice: Int) {
        for seed in Self.seeds(of: slice) {
            switch Simulation.run(seed: seed) {
            case .held: continue
            case .broken(let failure):
                Issue.record("\(failure)")
                return
            }
        }
    }

    @Test("With brakes, too, and what they hold is not overwritten before somebody says yes", arguments: 0..<slices)
    func brakes(slice: Int) {
        for seed in Self.seeds(of: slice) {
            switch Simulation.run(seed: seed, hasBrakes: true) {
            case .held: continue
            case .broken(let failure):
                Issue.record("\(failure)")
                return
            }
        }
    }

    @Test("A seed runs the same way each time")
    func deterministic() {
        for seed in UInt64(1)...10 {
            switch (Simulation.run(seed: seed), Simulation.run(seed: seed)) {
            case (.held(let first), .held(let second)): #expect(first == second)
            case (.broken(let failure), _), (_, .broken(let failure)): Issue.record("\(failure)")
            }
        }
    }

    @Test("What can go wrong does go wrong, and still most users end in sync")
    func isNotIdle() {
        var figures = SimulationFigures()
        for seed in UInt64(1)...100 {
            if case .held(let more) = Simulation.run(seed: seed) { figures += more }
        }
        #expect(figures.agents > 150)
        #expect(figures.calls > 500)
        #expect(figures.callsWithoutAnswer > 100)
        #expect(figures.crashes > 30)
        #expect(figures.stalls > 30)
        #expect(figures.takeovers > 50)
        #expect(figures.lostLeases > 50)
        #expect(figures.usersInSync > 80)
        #expect(figures.usersHeld > 10)
        #expect(figures.usersRejected > 0)
        #expect(figures.usersExcused * 10 < figures.usersInSync)
    }

    @Test("Brakes do hold, let through what they may, and are answered")
    func brakesAreNotIdle() {
        var figures = SimulationFigures()
        for seed in UInt64(1)...100 {
            if case .held(let more) = Simulation.run(seed: seed, hasBrakes: true) { figures += more }
        }
        #expect(figures.overwritten > 20)
        #expect(figures.braked > 100)
        #expect(figures.approvals > 30)
        #expect(figures.suspicions > 10)
        #expect(figures.usersInSync > 300)
    }
}
