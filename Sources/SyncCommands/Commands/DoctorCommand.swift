import ArgumentParser
import Postgres
import SyncCore

/// `subscriber-sync doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Proves the whole chain, one line a check; exit 0, 1 with a warning, 2 with a failure.",
        discussion: """
            It looks at the settings, PostgreSQL, the users table, our schema and triggers, and SignalWire, and says of \
            what isn't well how to mend it. It changes nothing: SignalWire is asked for one page of its list, and a \
            notification is sent on a channel that nobody else listens to.

            Examples:
              subscriber-sync doctor
              subscriber-sync doctor --format json
            """)

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let diagnosis = Diagnosis(checks: await DoctorCommand.checks(options))
        switch format {
        case .json: Terminal.out(diagnosis.json.document)
        case .table: Terminal.out(diagnosis.table(paint: Paint.ofOut.verdict))
        }
        guard diagnosis.exitCode == 0 else { throw ExitCode(diagnosis.exitCode) }
    }

    /// Without settings there is nobody to ask.
    private static func checks(_ options: SettingsOptions) async -> [Check] {
        do {
            let context = try CommandContext(options)
            let session = try context.session()
            let settings = Check.ok("settings", "They can be read, and name a mapping and a database.")
            let found = await Examining().checks(of: Doctor(context: context, session: session).examinations)
            await session.close()
            return [settings] + found
        } catch {
            return [.fail("settings", error.message, hint: error.hint, remedy: "subscriber-sync config")]
        }
    }
}
