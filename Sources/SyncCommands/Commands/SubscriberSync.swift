import ArgumentParser

/// The command `subscriber-sync`.
public struct SubscriberSync: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "subscriber-sync",
        abstract: "Keeps a PostgreSQL users table and SignalWire's subscribers the same.",
        discussion: """
            Begin with `migrate`, say `adopt` where SignalWire has subscribers already, look with \
            `resync --all --dry-run`, then `run`. `status` shows the whole \
            picture, `show KEY` one user.

            Settings come from flags, the environment (DATABASE_URL, SIGNALWIRE_SPACE, …) and a YAML file \
            (--config or SUBSCRIBER_SYNC_CONFIG); `config` shows what they are and where they came from.
            """,
        version: version,
        subcommands: [
            MigrateCommand.self, UninstallCommand.self, AdoptCommand.self, RunCommand.self, ResyncCommand.self,
            StatusCommand.self, ShowCommand.self, LogCommand.self, DoctorCommand.self, PauseCommand.self,
            ResumeCommand.self, ApproveCommand.self,
            RejectCommand.self, ForgetCommand.self, TokenCommand.self,
            SandboxCommand.self, ConfigCommand.self,
        ])

    /// This program's version; the ledger and the agents' table have it too.
    public static let version = "0.1.0"

    public init() {}

    /// Parses the command line, runs the command, and ends the process with its code.
    public static func start() async -> Never {
        do {
            var command = try parseAsRoot(NegativeKeys.escaped(in: Array(CommandLine.arguments.dropFirst())))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(withError: nil)
        } catch let failure as Failure {
            Terminal.err(failure.text)
            exit(withError: ExitCode(failure.code.rawValue))
        } catch {
            exit(withError: error)
        }
    }
}
