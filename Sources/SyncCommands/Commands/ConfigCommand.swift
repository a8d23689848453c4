import ArgumentParser

/// `subscriber-sync config`
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "The effective settings and where each came from, secrets redacted.",
        discussion: """
            Exits 78, with the reasons on stderr, where `run` would because of its settings. It doesn't connect.

            Examples:
              subscriber-sync config
              subscriber-sync config --config /etc/subscriber-sync.yaml --format json
            """)

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let report = ConfigReport(options)
        Terminal.out(report.text(format))
        guard report.problems.isEmpty else { throw Failure(SettingsError(report.problems)) }
    }
}
