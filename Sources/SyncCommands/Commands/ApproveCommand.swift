import ArgumentParser
import Postgres
import SyncStore

/// `subscriber-sync approve`
struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Lets what the brakes hold go on.",
        discussion: """
            Pushes the changes that are held because so many users changed at once, and creates the new subscribers, \
            which are billed, that are held because limits.new_subscribers is used up. `status` shows how many those are.

            Example:
              subscriber-sync approve
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let judged = try await Verdict.pronounce(options) { control throws(StoreError) in try await control.approve() }
        Terminal.out(
            judged.isEmpty
                ? "nothing is held\n"
                : "approved: \(judged.changed) changed users will be pushed, \(judged.new) new subscribers created\n")
    }
}

/// `subscriber-sync reject`
struct RejectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject",
        abstract: "Leaves what the brakes hold unsent.",
        discussion: """
            Those users stay as SignalWire has them, until their rows change again or a resync asks for them. So does \
            everybody where the mapping changed. Changes that no agent has looked at yet are not judged: if they are too \
            many, they are held in their turn.

            Example:
              subscriber-sync reject
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let (judged, mapping) = try await Verdict.pronounce(options) { control throws(StoreError) in
            (try await control.reject(), try await control.acceptMapping())
        }
        let line = mapping.line(accepted: "rejected: the changed mapping is used for users only as they change")
        if !judged.isEmpty {
            Terminal.out(
                "rejected: \(judged.changed) changed users and \(judged.new) new subscribers stay as they are\n")
        }
        if let line { Terminal.out(line + "\n") }
        if judged.isEmpty, line == nil { Terminal.out("nothing is held\n") }
    }
}

/// What `approve` and `reject` share.
private enum Verdict {
    static func pronounce<Answer>(
        _ options: SettingsOptions, _ verdict: (FleetControl) async throws(StoreError) -> Answer
    ) async throws -> Answer {
        let context = try CommandContext(options, needsSource: false)
        let session = try context.session()
        let control = FleetControl(session: session, operatorName: context.operatorName)
        let answer = try await context.checked { () async throws(StoreError) in
            try await Migrator(session: session).checkSchema()
            return try await verdict(control)
        }
        await session.close()
        return answer
    }
}

extension Judgement {
    fileprivate var isEmpty: Bool { changed == 0 && new == 0 }
}
