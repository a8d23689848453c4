import ArgumentParser
import Postgres
import SyncStore

/// `subscriber-sync pause`
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stops pushing, for every agent on this database, until `resume`.",
        discussion: """
            Changes go on being captured, and calls in flight are finished.

            Example:
              subscriber-sync pause --reason "billing review"
            """)

    @Option(help: "Why; `status` and the log show it.")
    var reason: String?

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await FleetSwitch.perform(options) { control throws(StoreError) in try await control.pause(reason: reason) }
        Terminal.out("paused\n")
    }
}

/// `subscriber-sync resume`
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Starts pushing again, whatever it was paused for.",
        discussion: """
            Example:
              subscriber-sync resume
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await FleetSwitch.perform(options) { control throws(StoreError) in try await control.resume() }
        Terminal.out("resumed\n")
    }
}

/// What `pause` and `resume` share.
private enum FleetSwitch {
    static func perform(
        _ options: SettingsOptions, _ change: (FleetControl) async throws(StoreError) -> Void
    ) async throws {
        let context = try CommandContext(options, needsSource: false)
        let session = try context.session()
        let control = FleetControl(session: session, operatorName: context.operatorName)
        try await context.checked { () async throws(StoreError) in
            try await Migrator(session: session).checkSchema()
            try await change(control)
        }
        await session.close()
    }
}
