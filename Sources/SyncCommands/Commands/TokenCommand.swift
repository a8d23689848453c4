import ArgumentParser
import SignalWire
import SyncCore

/// `subscriber-sync token`
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "The API call by hand: mints one token for a reference, and prints it.",
        discussion: """
            Needs no database. A reference that SignalWire doesn't know becomes a subscriber, which is billed. The \
            token is a live credential: stdout has it and nothing else, so keep it out of logs and history.

            Example:
              subscriber-sync token ada@example.com --expires 15m
            """)

    @Argument(help: "What the application passes as reference.")
    var reference: String

    @Option(help: "How long the token is valid, such as 90s, 15m or 2h. Default: signalwire.token_ttl.")
    var expires: String?

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        guard let reference = Reference(reference) else {
            throw Failure(
                .usage, "The reference is blank or holds a control character.",
                hint: "Name the one that the application uses.")
        }
        let context = try CommandContext(options, needsSource: false)
        let lifetime = try context.tokenLifetime(expires)
        let client = SubscriberClient(settings: try context.signalWire())
        let result = try await client.mintToken(for: reference, lifetime: lifetime)
        await client.shutdown()
        switch result {
        case .minted(let token):
            Terminal.out(token.token + "\n")
            Terminal.err("subscriber_id \(token.subscriberID), expires at \(token.expiresAt) (unix time)\n")
        case .refused(let answer): throw Failure(answer)
        }
    }
}
