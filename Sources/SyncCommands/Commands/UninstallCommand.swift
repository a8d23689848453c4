import ArgumentParser
import Postgres
import SyncCore
import SyncStore

/// `subscriber-sync uninstall`
struct UninstallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Removes the triggers, then the schema; leaves the users table as it was found.",
        discussion: """
            The state, the log and the link between users and subscriber ids go with the schema. Nothing changes at \
            SignalWire.

            Examples:
              subscriber-sync uninstall --print
              subscriber-sync uninstall --yes
            """)

    @Flag(help: "Write the SQL to stdout and touch nothing.")
    var print = false

    @Flag(help: "Don't ask.")
    var yes = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options, needsSource: false)
        let session = try context.session()
        let uninstaller = Uninstaller(session: session)
        let statements = try await context.checked { () async throws(StoreError) in try await uninstaller.plan() }
        if print {
            Terminal.out(statements.map { $0 + ";\n" }.joined())
        } else if statements.isEmpty {
            Terminal.out("nothing to remove\n")
        } else {
            try confirm(statements)
            try await context.checked { () async throws(StoreError) in try await uninstaller.apply(statements) }
            Terminal.out("removed \(counted(statements.count - 1, "trigger")) and the schema subscriber_sync\n")
        }
        await session.close()
    }

    private func confirm(_ statements: [String]) throws {
        guard !yes else { return }
        guard Terminal.isInTerminal else {
            throw Failure(.usage, "uninstall asks before it removes state and log.", hint: "Say --yes to go ahead.")
        }
        guard Terminal.confirm("Remove \(counted(statements.count - 1, "trigger")) and the schema subscriber_sync?")
        else {
            throw Failure(.usage, "Nothing was removed.")
        }
    }
}
