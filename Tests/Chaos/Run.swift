import Foundation
import SignalWireSandbox
import TestSupport

/// One seed, from an empty database to the verdict.
struct Run {
    let plan: ChaosPlan
    let sabotage: Sabotage?
    let trace: Trace
    let keepsFiles: Bool

    /// What one run came to.
    struct Verdict {
        let plan: ChaosPlan
        var violations: [String] = []
        var figures: [(name: String, value: String)] = []
        /// What is known of the first of those who aren't as they should be.
        var dossiers: [(whose: String, Dossier)] = []

        var isGood: Bool { violations.isEmpty }
    }

    func perform() async throws -> Verdict {
        let world = try await World.make(
            agents: plan.agents, settings: World.settings(concurrency: plan.concurrency, rate: 0),
            population: plan.population, configuration: ["max_connections": "60"])
        do {
            if let sabotage { try await world.application.run(sabotage.sql) }
            let striking = Striking(world, trace)
            try await makeTrouble(world, striking)
            let verdict = try await judge(world, striking)
            await world.end(keepingFiles: keepsFiles)
            if keepsFiles { trace.note("files in \(world.folder.path)") }
            return verdict
        } catch {
            await world.end(keepingFiles: keepsFiles)
            throw error
        }
    }

    private func makeTrouble(_ world: World, _ striking: Striking) async throws {
        try await world.fleet.startAll()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await world.application.perform(plan.writes, from: start)
                trace.note("the application has written")
            }
            for (lane, strikes) in plan.strikes {
                group.addTask {
                    try await striking.perform(strikes, from: start)
                    trace.note("\(lane): the end")
                }
            }
            try await group.waitForAll()
        }
    }

    private func judge(_ world: World, _ striking: Striking) async throws -> Verdict {
        let healed = ContinuousClock.now
        let healing = Healing(world: world, trace: trace)
        var verdict = Verdict(plan: plan)
        verdict.violations += try await healing.heal()
        verdict.violations += try await healing.forgiveRefused()
        let comparison = try await settled(world)
        let seconds = (ContinuousClock.now - healed).seconds
        await world.fleet.stopAll()
        for key in comparison.problemsByUser().map(\.key).prefix(3) {
            verdict.dossiers.append(("user \(key)", try await Dossier.make(world, key: key)))
        }
        let alone = try await Alone.make(world).judge()
        for reference in alone.references.prefix(3) {
            verdict.dossiers.append((reference, try await Dossier.make(world, reference: reference)))
        }
        verdict.violations += comparison.problems() + alone.violations
        verdict.violations += plan.identities.violations(among: world.sandbox.snapshot().map(\.reference))
        verdict.violations += try await Leaks.make(world).violations()
        verdict.violations += world.application.failures.map { "a write of the application failed: \($0)" }
        verdict.violations += await world.fleet.failures
        let duplicates = world.sandbox.statistics().foldedDuplicates
        if duplicates > 0 { verdict.violations.append("\(duplicates) subscribers were created twice") }
        verdict.figures = await figures(world, striking, comparison, excused: alone.excused, healing: seconds)
        return verdict
    }

    /// Whoever is held because another had the same reference is freed by the agents' housekeeping, once a minute.
    private func settled(_ world: World) async throws -> Comparison {
        let deadline = ContinuousClock.now + .seconds(80)
        while true {
            let comparison = try await Comparison.make(world)
            if comparison.problems().isEmpty || ContinuousClock.now > deadline { return comparison }
            trace.note("\(comparison.problems().count) users aren't settled: \(comparison.problems()[0])")
            try await Task.sleep(for: .seconds(2))
        }
    }

    private func figures(
        _ world: World, _ striking: Striking, _ comparison: Comparison, excused: Int, healing: Double
    ) async -> [(name: String, value: String)] {
        let statistics = world.sandbox.statistics()
        let writes = world.application.done
        let total = writes.values.reduce(0, +)
        return [
            (
                "writes",
                "\(total) (\(world.application.lost) lost): \(listed(writes.map { ($0.key.rawValue, $0.value) }))"
            ),
            ("strikes", listed(striking.struck.map { ($0.key, $0.value) })),
            ("api faults", listed(statistics.faults.map { ($0.key, $0.value) })),
            (
                "agents",
                "\(await world.fleet.starts) starts, \(await world.fleet.restartsWithoutDatabase) without a database"
            ),
            (
                "calls",
                "\(world.journal.count); \(statistics.created) created, \(statistics.updated) updated, "
                    + "\(statistics.appliedLate) late; overlaps excused: \(excused)"
            ),
            ("users", listed(comparison.counts.map { ($0.key, $0.value) })),
            ("healing", String(format: "%.1f s", healing)),
        ]
    }

    private func listed(_ counts: [(String, Int)]) -> String {
        counts.sorted { $0.0 < $1.0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
