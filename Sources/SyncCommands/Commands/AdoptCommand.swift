import ArgumentParser
import Postgres
import SyncCore
import SyncStore

/// `subscriber-sync adopt`
struct AdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Finds out whose the subscribers are that SignalWire has already, and pushes nothing.",
        discussion: """
            Reads SignalWire's list and matches it with the users in scope by reference, trimmed and without case. \
            Where exactly one user and one subscriber have a reference, the pair is written down: from then on the \
            user is known, and is neither created again nor counted as new. Nothing is changed or deleted at \
            SignalWire. It may be repeated, and agents may run meanwhile.

            A user whose subscriber holds what the row says is `synced`. One that differs stays `unsynced` until the \
            row changes or a resync asks, and only what differs counts as changed then.

            Examples:
              subscriber-sync adopt --dry-run
              subscriber-sync adopt --format json
            """)

    @Flag(help: "Only say what would be adopted.")
    var dryRun = false

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options)
        let session = try context.session()
        let store = try await context.store(session, agent: context.operatorName)
        let survey = try await RemoteSurvey.take(store, context)
        var tally = AdoptionTally(isDryRun: dryRun, directory: survey.directory)
        try await survey.forEachPage("users compared") { users in
            let plans = users.map {
                (user: $0, plan: AdoptionPlan(for: $0.claim, in: survey.directory, rules: context.rules))
            }
            let adoptions = plans.compactMap { user, plan in plan.adoption.map { (user: user, adoption: $0) } }
            let verdicts =
                dryRun
                ? [:]
                : try await context.checked { () async throws(StoreError) in
                    try await store.adopt(adoptions)
                }
            for (user, plan) in plans { tally.count(plan, of: user.claim.user, verdicts[user.claim.user]) }
        }
        await session.close()
        Terminal.out(format == .json ? tally.json.document : tally.table)
        if let hint = tally.hint { Terminal.err(hint) }
    }
}

extension AdoptionPlan {
    fileprivate var adoption: Adoption? {
        switch self {
        case .adopt(let adoption): adoption
        case .known, .unmatched, .ambiguous, .notCompared: nil
        }
    }
}
