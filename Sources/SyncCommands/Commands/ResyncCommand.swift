import ArgumentParser
import Postgres
import SyncCore
import SyncStore

/// `subscriber-sync resync`
struct ResyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resync",
        abstract: "Marks users due, so that a running agent pushes what differs.",
        discussion: """
            Nothing is sent for a user whom SignalWire was told exactly this already, unless --force says so. With \
            --all and --where it says how many subscribers it would create, which are billed, and asks; with --user \
            and --failed it only says how many.

            --verify reads SignalWire's list, compares every known user's row with it field by field, and marks those \
            who differ, for whatever reason; with --dry-run it only counts them. Where a subscriber is gone, another \
            one would be created and billed: it asks, or wants --yes. It asks the agents for a sweep too, which finds \
            users that came or went without anybody's telling.

            A user whose reference has changed is held, because the new one is another subscriber. --accept-reference \
            takes it: a new subscriber, which is billed, or the one of before where the reference was the user's already.

            Examples:
              subscriber-sync resync --all --dry-run
              subscriber-sync resync --user 42 43 -7 --wait
              subscriber-sync resync --failed
              subscriber-sync resync --user 42 --accept-reference
              subscriber-sync resync --where "company = 'Acme'" --force
              subscriber-sync resync --verify --dry-run
              subscriber-sync resync --verify --wait
            """)

    @Flag(help: "Every user in scope.")
    var all = false

    @Option(name: .customLong("user"), parsing: .upToNextOption, help: "These users, by key.")
    var users: [String] = []

    @Flag(help: "Users that are rejected, held or retrying.")
    var failed = false

    @Option(name: .customLong("where"), help: "Users in scope whose row meets this SQL condition.")
    var condition: String?

    @Flag(help: "Compare everybody with what SignalWire has, and push who differs.")
    var verify = false

    @Flag(help: "With --user: take the new reference of users who are held because theirs has changed.")
    var acceptReference = false

    @Flag(help: "Push even where nothing changed.")
    var force = false

    @Flag(help: "Count what would be created, updated, cleared, skipped and held, with sample keys, and mark nobody.")
    var dryRun = false

    @Option(help: "With --dry-run: table or json.")
    var format = OutputFormat.table

    @Flag(help: "Show progress until they are done; exit 65 if any was refused.")
    var wait = false

    @Flag(help: "Don't ask before subscribers are created.")
    var yes = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        let chosen = [all, !users.isEmpty, failed, condition != nil, verify].filter { $0 }.count
        guard chosen == 1 else {
            throw ValidationError("Say whom: one of --all, --user KEY…, --failed, --where SQL or --verify.")
        }
        guard format == .table || (dryRun && !verify) else {
            throw ValidationError("--format json goes with --dry-run.")
        }
        guard !verify || !force else {
            throw ValidationError("--verify pushes who differs, so --force doesn't go with it.")
        }
        guard !acceptReference || !users.isEmpty else {
            throw ValidationError("--accept-reference is an answer for single users: name them with --user KEY….")
        }
    }

    func run() async throws {
        let context = try CommandContext(options)
        let session = try context.session()
        let store = try await context.store(session, agent: context.operatorName)
        if verify {
            let verification = Verification(store: store, context: context, isDryRun: dryRun, mayCreate: yes)
            try await verification.run(in: session, isAwaited: wait)
            return await session.close()
        }
        let resync = Resync(
            store: store, selection: try await selection(in: store, context), isForced: force,
            acceptsReferences: acceptReference, rules: context.rules, context: context)
        try await context.warnOfOtherMapping(store)
        if dryRun {
            let preview = try await resync.preview()
            Terminal.out(format == .json ? preview.json.document : preview.text)
        } else {
            try await agree(to: resync)
            let start = try await context.checked { () async throws(StoreError) in try await store.clock() }
            let (count, accepted, preview) = try await resync.mark()
            Terminal.out("marked \(counted(count, "user"))\n")
            if acceptReference { Terminal.out("accepted \(counted(accepted, "new reference"))\n") }
            if let preview, preview.creating.count > 0 { Terminal.out("creates \(preview.bill)\n") }
            if all { try await answerMapping(session, context) }
            if wait { try await resync.wait(for: count, since: start, in: session) }
        }
        await session.close()
    }

    private func selection(in store: Store, _ context: CommandContext) async throws -> Resync.Selection {
        if all { return .all }
        if failed { return .failed }
        if let condition { return try await .meeting(condition, in: store, context) }
        return try await .naming(users, in: store, context)
    }

    /// Everybody is told by the mapping that is used, whatever was before.
    private func answerMapping(_ session: Session, _ context: CommandContext) async throws {
        let control = FleetControl(session: session, operatorName: context.operatorName)
        let answer = try await context.checked { () async throws(StoreError) in try await control.acceptMapping() }
        if let line = answer.line(accepted: "the changed mapping goes to all of them") { Terminal.out(line + "\n") }
    }

    /// A resync of many can create many by surprise, and an accepted reference is meant to create one: it says so first.
    private func agree(to resync: Resync) async throws {
        guard !yes, resync.selection.isBroad || acceptReference else { return }
        let preview = try await resync.preview()
        guard preview.creating.count > 0 else { return }
        let question = "This creates \(preview.bill)."
        guard Terminal.isInTerminal else {
            throw Failure(.usage, question, hint: "Say --yes to go ahead; nobody was marked.")
        }
        Terminal.err(preview.text)
        guard Terminal.confirm(question + " Go ahead?") else { throw Failure(.usage, "Nobody was marked.") }
    }
}
