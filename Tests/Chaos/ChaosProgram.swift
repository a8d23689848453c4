import ArgumentParser
import Foundation

/// Chaos: agents, a database and an API to which everything happens that `semantics.md` and `testing.md` name, drawn
/// from one seed; then all heals, and everything is compared.
@main
struct ChaosProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Chaos",
        abstract: "Breaks everything around the agents, lets it heal, and compares.",
        discussion: """
            Examples:
              Chaos --seed 7 --trace
              Chaos --seeds 1...50 --seconds 60 --agents 2
              Chaos --sabotage no-fence --seeds 1...20
              Chaos --prove --seeds 1...20
              Chaos --scenario restart --scenario exhaustion
            """)

    @Option(help: "The seed of one run.")
    var seed: UInt64?

    @Option(help: "Several seeds, as 1...50.", transform: ChaosProgram.range)
    var seeds: ClosedRange<UInt64>?

    @Option(help: "How long there is trouble.")
    var seconds = 60

    @Option(help: "How many agents there are.")
    var agents = 2

    @Option(help: "A safeguard to take away; then the first seed that fails ends the search, and is the success.")
    var sabotage: Sabotage?

    @Flag(help: "Take each safeguard away in its turn, and search the seeds for each.")
    var prove = false

    @Option(help: "Instead of a seed: a failure between two stretches of steady load. Several, or all.")
    var scenario: [String] = []

    @Option(help: "Changes a second of a scenario.")
    var load = 80

    @Flag(help: "Tell what happens while it happens.")
    var trace = false

    @Flag(help: "Print what the seed draws, and do nothing.")
    var dryRun = false

    @Flag(help: "Leave what the agents printed.")
    var keep = false

    func validate() throws {
        guard seconds >= 5, (1...16).contains(agents) else {
            throw ValidationError("At least 5 seconds, and 1 to 16 agents.")
        }
        for name in scenario where name != "all" && Scenario(rawValue: name) == nil {
            let known = Scenario.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("There is no scenario \(name); there are \(known), and all.")
        }
    }

    func run() async throws {
        guard scenario.isEmpty else { return try await runScenarios() }
        let seeds = seeds ?? { $0...$0 }(seed ?? UInt64.random(in: 1...99_999))
        if dryRun {
            return seeds.forEach { Report.print(ChaosPlan(seed: $0, trouble: .seconds(seconds), agents: agents)) }
        }
        if prove { return try await search(seeds, for: Sabotage.allCases) }
        if let sabotage { return try await search(seeds, for: [sabotage]) }
        var failed: [UInt64] = []
        for seed in seeds where try await !isGood(seed, nil) { failed.append(seed) }
        if seeds.count > 1 { Report.say("\(seeds.count) seeds, failed: \(failed.isEmpty ? "none" : "\(failed)")") }
        if !failed.isEmpty { throw ExitCode.failure }
    }

    private func isGood(_ seed: UInt64, _ sabotage: Sabotage?) async throws -> Bool {
        let plan = ChaosPlan(seed: seed, trouble: .seconds(seconds), agents: agents)
        let run = Run(plan: plan, sabotage: sabotage, trace: Trace(isOn: trace), keepsFiles: keep)
        let verdict = try await run.perform()
        Report.print(verdict)
        return verdict.isGood
    }

    /// Each mistake must be found by one of the seeds.
    private func search(_ seeds: ClosedRange<UInt64>, for sabotages: [Sabotage]) async throws {
        var unseen: [Sabotage] = []
        for sabotage in sabotages {
            var finder: UInt64?
            for seed in seeds where finder == nil {
                if try await !isGood(seed, sabotage) { finder = seed }
            }
            Report.say("\(sabotage.rawValue) was \(finder.map { "found by seed \($0)" } ?? "NOT found")")
            if finder == nil { unseen.append(sabotage) }
        }
        if !unseen.isEmpty { throw ExitCode.failure }
    }

    private func runScenarios() async throws {
        let chosen = scenario.contains("all") ? Scenario.allCases : scenario.compactMap(Scenario.init)
        Report.say(ScenarioRun.Outcome.heading)
        var isGood = true
        for scenario in chosen {
            let run = ScenarioRun(scenario: scenario, agents: agents, load: load, trace: Trace(isOn: trace))
            let outcome = try await run.perform()
            Report.say(outcome.row)
            for violation in outcome.violations.prefix(20) { Report.say("VIOLATION: \(violation)") }
            isGood = isGood && outcome.isGood
        }
        if !isGood { throw ExitCode.failure }
    }

    @Sendable private static func range(_ text: String) throws -> ClosedRange<UInt64> {
        let ends = text.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard ends.count == 2, ends[0] <= ends[1] else { throw ValidationError("Write seeds as 1...50.") }
        return ends[0]...ends[1]
    }
}

extension Sabotage: ExpressibleByArgument {}

/// What the program says on stdout.
enum Report {
    static func print(_ verdict: Run.Verdict) {
        say("seed \(verdict.plan.seed): \(verdict.isGood ? "ok" : "FAILED")")
        for figure in verdict.figures { say("  \(figure.name): \(figure.value)") }
        for violation in verdict.violations.prefix(20) { say("  VIOLATION: \(violation)") }
        for (whose, dossier) in verdict.dossiers {
            say("  \(whose):")
            for line in dossier.lines { say("    \(line)") }
        }
        if verdict.violations.count > 20 { say("  … \(verdict.violations.count) violations in all") }
    }

    static func print(_ plan: ChaosPlan) {
        say("seed \(plan.seed): \(plan.users) users, \(plan.writes.count) writes, \(plan.concurrency) calls at once")
        for (lane, strikes) in plan.strikes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            for strike in strikes { say("  \(lane) at \(strike.at): \(strike.what.name) \(strike.what.details)") }
        }
    }

    static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}
