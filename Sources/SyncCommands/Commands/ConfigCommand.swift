import ArgumentParser

/// `subscriber-sync config`
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "The effective settings and where each came from, secrets redacted.",
        discussion: """
            Examples:
              subscriber-sync config
              subscriber-sync config --config /etc/subscriber-sync.yaml --format json
            """)

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        Terminal.out(try CommandContext.effectiveSettings(options, format))
    }
}
