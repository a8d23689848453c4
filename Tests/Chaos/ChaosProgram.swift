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

    @Flag(help: "Tell what happens while it happens.")
    var trace = false

    @Flag(help: "Leave what the agents printed.")
    var keep = false

    func validate() throws {
        guard seconds >= 5, (1...16).contains(agents) else {
            throw ValidationError("At least 5 seconds, and 1 to 16 agents.")
        }
    }

    func run() async throws {
        let seeds = seeds ?? { $0...$0 }(seed ?? UInt64.random(in: 1...99_999))
        var failed: [UInt64] = []
        for seed in seeds {
            let plan = ChaosPlan(seed: seed, trouble: .seconds(seconds), agents: agents)
            let run = Run(plan: plan, sabotage: sabotage, trace: Trace(isOn: trace), keepsFiles: keep)
            let verdict = try await run.perform()
            Report.print(verdict)
            if !verdict.isGood { failed.append(seed) }
            if sabotage != nil, !verdict.isGood { break }
        }
        if let sabotage {
            Report.say(
                failed.isEmpty
                    ? "\(sabotage.rawValue) was NOT found" : "\(sabotage.rawValue) was found by seed \(failed[0])")
            throw failed.isEmpty ? ExitCode.failure : ExitCode.success
        }
        if seeds.count > 1 { Report.say("\(seeds.count) seeds, failed: \(failed.isEmpty ? "none" : "\(failed)")") }
        if !failed.isEmpty { throw ExitCode.failure }
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
        if verdict.violations.count > 20 { say("  … \(verdict.violations.count) violations in all") }
    }

    static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}
