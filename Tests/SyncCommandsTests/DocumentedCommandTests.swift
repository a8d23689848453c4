import ArgumentParser
import Foundation
import SignalWireSandbox
import SyncCore
import TestSupport
import Testing

@testable import SyncCommands

/// Each block of shell in the documentation is run as it stands, or stands here with the reason why not.
@Suite("The documentation's commands", .timeLimit(.minutes(3))) struct DocumentedCommandTests {
    /// Lines that no test runs, and why.
    static let notRun: [(line: String, why: String)] = [
        ("deploy/quickstart", "is run by itself, at the end of what must hold before a commit"),
        ("Tests/run", "runs this test"),
        ("Tests/chaos --seed 7", "takes minutes, and has its own verdict"),
        ("swift build -c release --product subscriber-sync", "made the program that is run here"),
    ]

    /// What a reader puts in place of what stands there.
    struct Place: Sendable {
        let page: String
        let onPage: String
        let here: String
    }

    static func blocks() throws -> [Page.Block] {
        try Page.all().flatMap(\.blocks).filter { $0.language == "sh" }
    }

    /// A line of shell without its comment.
    static func command(_ line: String) -> String {
        (line.firstRange(of: #/(^| +)# /#).map { String(line[..<$0.lowerBound]) } ?? line)
            .trimmingCharacters(in: .whitespaces)
    }

    private static func isLeftOut(_ block: Page.Block) -> Bool {
        block.lines.map(command).allSatisfy { line in line.isEmpty || notRun.contains { $0.line == line } }
    }

    private static func isWebhook(_ block: Page.Block) -> Bool { block.text.contains("webhook-signature") }

    /// Those that take a database from nothing to synced users, page by page.
    static func story() throws -> [Page.Block] { try blocks().filter { !isLeftOut($0) && !isWebhook($0) } }

    @Test("are of languages that are tested, and what isn't run is still there")
    func blocksAreKnown() throws {
        let blocks = try Page.all().flatMap(\.blocks)
        // Without a language: a drawing, or what a command prints.
        #expect(Set(blocks.map(\.language)).subtracting(["", "sh", "sql", "yaml"]) == [])
        #expect(blocks.filter { $0.language.isEmpty && $0.text.contains("subscriber-sync ") }.map(\.line).count <= 1)
        let lines = try Self.blocks().flatMap(\.lines).map(Self.command)
        for (line, why) in Self.notRun {
            #expect(lines.contains(line), "\(why)")
            guard let program = line.split(separator: " ").first, program.contains("/") else { continue }
            #expect(FileManager.default.isExecutableFile(atPath: Page.root.appending(path: program).path), "\(line)")
        }
        #expect(try Self.blocks().filter(Self.isWebhook).count == 1)
        #expect(try Self.story().count >= 4)
    }

    @Test("are understood by the program's own parser, wherever they stand")
    func parse() throws {
        let inBlocks = try Self.blocks().flatMap(\.lines).map(Self.command)
        // With a word in capitals for what the reader puts there; one that is about the command alone has no flag.
        let inText = try Page.all().flatMap(\.words).filter { !$0.contains(#/[\[(|…]/#) }
        let lines = (inBlocks + inText).filter { $0.hasPrefix("subscriber-sync ") }
        #expect(lines.count > 15)
        for line in lines {
            let arguments = line.split(separator: " ").dropFirst().map(String.init)
            if arguments.first == "--generate-completion-script" { continue }
            #expect(throws: Never.self, "\(line)") {
                _ = try SubscriberSync.parseAsRoot(NegativeKeys.escaped(in: arguments))
            }
        }
    }

    @Test("name no flag that their command hasn't got")
    func flags() async throws {
        let commands = try await CommandTree.read()
        var count = 0
        for page in try Page.all() {
            for words in page.words.map({ $0.replacing("subscriber-sync ", with: "") }) {
                guard let known = commands[String(words.prefix { $0 != " " })] else { continue }
                let named = words.matches(of: #/--[a-z-]+/#).map { String($0.0) }
                #expect(Set(named).subtracting(known) == [], "\(page.name): \(words)")
                count += named.count
            }
        }
        #expect(count > 30)
    }

    @Test("take a database from nothing to synced users and back, as they stand, page by page")
    func walkthrough() async throws {
        try await Stage.run(table: Self.table) { stage in
            try await stage.run(Self.people)
            let story = try Self.story()
            let pages = try Page.all().map(\.name).filter { name in story.contains { $0.page == name } }
            let exports = story.flatMap(\.lines).filter { $0.hasPrefix("export ") }
            for page in pages {
                let own = story.filter { $0.page == page }.flatMap(\.lines)
                let walk = try Walkthrough(stage, before: page == "README.md" ? [] : exports)
                try await walk.run(own)
                if page == "README.md" { try Self.expectSynced(stage) }
            }
            #expect(try await stage.value("SELECT to_regnamespace('subscriber_sync')::text") == nil)
        }
    }

    /// As the mapping in the README has it.
    private static let table = """
        CREATE TABLE public.users (
            id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, email text, first_name text, last_name text,
            title text, company text, time_zone text, deleted_at timestamptz
        )
        """
    private static let people = """
        INSERT INTO users (email, first_name, title, company, deleted_at) VALUES
            ('ada@x', 'Ada', 'Eng', 'Acme', NULL), ('bob@x', 'Bob', 'Dr', 'Acme', NULL), ('eve@x', 'Eve', '', '', now())
        """

    private static func expectSynced(_ stage: Stage) throws {
        let ada = try #require(stage.sandbox.subscriber(reference: "ada@x"))
        #expect(ada.profile["first_name"] == "Ada" && ada.profile["company_name"] == "Acme")
        #expect(stage.sandbox.subscriber(reference: "bob@x") != nil)
        #expect(stage.sandbox.subscriber(reference: "eve@x") == nil, "she is out of scope")
        #expect(stage.sandbox.statistics().created == 2)
    }

    @Test(
        "sign a message so that the webhook takes it",
        .enabled("curl or openssl is not here.") { Deployed.has("curl") && Deployed.has("openssl") })
    func webhook() async throws {
        let block = try #require(try Self.blocks().first(where: Self.isWebhook))
        let export = try #require(block.lines.first)
        let secret = try await Deployed.run("bash", ["-c", "\(export)\nprintf %s \"$WEBHOOK_SECRET\""]).text
        #expect(secret.hasPrefix("whsec_"))
        let polled = ["CAPTURE_MODE": "poll", "CAPTURE_POLL_INTERVAL": "1h", "WEBHOOK_SECRET": secret]
        try await WatchedAgent.run(changing: polled) { agent in
            await WebhookTests.baseline(agent)
            try await agent.stage.run("INSERT INTO users (id, email) VALUES (42, 'ada@x')")
            let send = block.lines.dropFirst().joined(separator: "\n")
            #expect(send.contains("127.0.0.1:9464/"))
            let answer = try await Deployed.run(
                "bash", ["-euc", send.replacing("127.0.0.1:9464", with: "127.0.0.1:\(agent.http.port)")],
                ["WEBHOOK_SECRET": secret])
            #expect(answer.status == 0 && answer.text.hasSuffix("taken\n"), "\(answer.text)")
            await eventually("she has arrived") { agent.stage.sandbox.subscriber(reference: "ada@x") != nil }
        }
    }

    @Test("have settings that the program takes, and that fit a table as they tell of it")
    func settings() async throws {
        let blocks = try Page.all().flatMap(\.blocks).filter { $0.language == "yaml" }
        #expect(blocks.count >= 2)
        for block in blocks {
            // A whole file needs nothing besides; a part of one is read with the rest of a file.
            let rest = block.text.contains("reference:") ? [:] : ["SOURCE_REFERENCE": "email"]
            var fixture = SettingsFixture(yaml: block.text)
            fixture.environment = rest.merging(["SUBSCRIBER_SYNC_CONFIG": SettingsFixture.path]) { $1 }
            #expect(try fixture.problems() == [], "\(block)")
            try await Stage.run(table: Self.table) { stage in
                try await stage.run(Self.companies)
                let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
                try block.text.write(to: file, atomically: true, encoding: .utf8)
                defer { try? FileManager.default.removeItem(at: file) }
                let migrated = try await CommandRun.run(
                    ["migrate", "--config", file.path], rest.merging(["DATABASE_URL": stage.database.dsn]) { $1 })
                #expect(migrated.status == 0 && !migrated.out.contains("note: "), "\(migrated.out)\(migrated.err)")
            }
        }
    }

    private static let companies = """
        CREATE TABLE public.companies (id bigint PRIMARY KEY, name text);
        ALTER TABLE users ADD COLUMN company_id bigint REFERENCES public.companies;
        CREATE INDEX ON users (company_id)
        """
}

/// What the program says of its commands: their long flags, by name.
enum CommandTree {
    private struct Answer: Decodable {
        let command: Command

        struct Command: Decodable {
            let commandName: String
            let subcommands: [Command]?
            let arguments: [Argument]?
        }

        struct Argument: Decodable {
            let names: [Name]?
        }

        struct Name: Decodable {
            let kind: String
            let name: String
        }
    }

    static func read() async throws -> [String: Set<String>] {
        let run = try await CommandRun.run(["--experimental-dump-help"])
        let answer = try JSONDecoder().decode(Answer.self, from: Data(run.out.utf8))
        let commands = (answer.command.subcommands ?? []).filter { $0.commandName != "help" }
        return Dictionary(
            uniqueKeysWithValues: commands.map { command in
                let names = (command.arguments ?? []).flatMap { $0.names ?? [] }.filter { $0.kind == "long" }
                return (command.commandName, Set(names.map { "--\($0.name)" }))
            })
    }
}
