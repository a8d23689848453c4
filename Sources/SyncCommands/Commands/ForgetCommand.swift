import ArgumentParser
import Postgres
import SyncCore
import SyncStore

/// `subscriber-sync forget`
struct ForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Erases everything about one person from state, log, history and pending changes.",
        discussion: """
            For a user whose row is gone, or out of scope: one who is still there would be found again. The log says that \
            one user was forgotten, and not who. What it can't reach stays: the subscriber at SignalWire, backups of this \
            database, and the lines that agents wrote to stderr.

            Examples:
              subscriber-sync forget 42
              subscriber-sync forget 42 --yes
            """)

    @Argument(help: "The user's key, as source.key had it.")
    var key: String

    @Flag(help: "Don't ask.")
    var yes = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options)
        let session = try context.session()
        let store = try await context.store(session, agent: context.operatorName)
        let user = try await context.checked { () async throws(StoreError) in
            try await store.canonicalKey(of: key) ?? UserKey(key)
        }
        try confirm()
        let report = try await forget(user, in: store, context)
        await session.close()
        Terminal.out(report)
    }

    private func confirm() throws {
        guard !yes else { return }
        guard Terminal.isInTerminal else {
            throw Failure(.usage, "forget asks before it erases a user.", hint: "Say --yes to go ahead.")
        }
        guard Terminal.confirm("Erase everything about user \(key)? It can't be brought back.") else {
            throw Failure(.usage, "Nothing was erased.")
        }
    }

    /// A call in flight is waited for: no longer than its lease, and a little for whoever takes over.
    private func forget(_ user: UserKey, in store: Store, _ context: CommandContext) async throws -> String {
        let end = ContinuousClock.now + context.settings.delivery.lease + .seconds(5)
        var isTold = false
        while true {
            let outcome = try await context.checked { () async throws(StoreError) in try await store.forget(user) }
            switch outcome {
            case .forgotten(let logRows, let hadSubscriber):
                return "forgotten, with \(counted(logRows, "row")) of the log\n" + leftovers(hadSubscriber)
            case .unknown:
                throw Failure(
                    .noInput, "Nothing is known of a user \(key).",
                    hint: "The key is what \(context.keyColumn) held; perhaps the user was forgotten already.")
            case .inScope:
                throw Failure(
                    .data, "User \(key) is still in the table and in scope, and would be found again.",
                    hint: "Delete the row, or take it out of source.where, and say forget again; nothing was erased.")
            case .inFlight(let rest):
                guard ContinuousClock.now < end else {
                    throw Failure(
                        .temporary, "An agent still has user \(key) in hand.",
                        hint: "Say forget again in a minute; nothing was erased.")
                }
                if !isTold { Terminal.err("subscriber-sync: waiting for a call in flight\n") }
                isTold = true
                try await Task.sleep(for: min(max(rest, .milliseconds(10)), .milliseconds(250)))
            }
        }
    }

    private func leftovers(_ hadSubscriber: Bool) -> String {
        let there = hadSubscriber ? "the subscriber at SignalWire, which only you can delete there; " : ""
        return "left: \(there)backups of this database; what agents wrote to stderr\n"
    }
}
