import Foundation
import Glibc
import Postgres
import SignalWireSandbox
import TestSupport

/// PostgreSQL, the sandbox, the network between, and the agents: everything that one run needs and leaves behind.
final class World: Sendable {
    /// Planted, to be searched for wherever something is written.
    static let apiToken = "planted-api-token"
    static let password = "planted-password"

    let server: PostgresServer
    let database: TestDatabase
    let sandbox: Sandbox
    let journal: CallJournal
    let relay: Relay
    let fleet: Fleet
    let folder: URL
    let application: Application
    private let environment: [String: String]

    /// Starts everything but the agents, on a database that is migrated and has the rows.
    static func make(
        agents: Int, settings: String, population: Write, configuration: [String: String]
    ) async throws -> World {
        let program = try productProgram()
        let folder = FileManager.default.temporaryDirectory.appending(path: "chaos-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // A crash of the server loses what isn't on disk yet; what was committed must not be among it.
        let durable = ["synchronous_commit": "on", "superuser_reserved_connections": "0"]
        let server = try await PostgresServer.start(extraConfiguration: durable.merging(configuration) { $1 })
        let database = try await server.createDatabase()
        let sandbox = try await Sandbox.start()
        let journal = CallJournal()
        let relay = try Relay(
            agents: agents, targets: [.database: server.port ?? 0, .api: sandbox.port], journal: journal)
        let file = folder.appending(path: "subscriber-sync.yaml")
        try settings.write(to: file, atomically: true, encoding: .utf8)
        let world = World(
            server, database, sandbox, journal, relay, folder,
            environment: ["PATH": "/usr/bin:/bin", "SUBSCRIBER_SYNC_CONFIG": file.path], program, agents)
        try await world.prepare(population)
        return world
    }

    private init(
        _ server: PostgresServer, _ database: TestDatabase, _ sandbox: Sandbox, _ journal: CallJournal, _ relay: Relay,
        _ folder: URL, environment: [String: String], _ program: String, _ agents: Int
    ) {
        self.server = server
        self.database = database
        self.sandbox = sandbox
        self.journal = journal
        self.relay = relay
        self.folder = folder
        self.environment = environment
        application = Application(dsn: database.dsn)
        let environments = (0..<agents).map { agent in
            environment.merging(
                World.secrets(
                    database.name, relay.ports[Relay.Way(agent: agent, goal: .database)] ?? 0,
                    "http://127.0.0.1:\(relay.ports[Relay.Way(agent: agent, goal: .api)] ?? 0)")
            ) { $1 }.merging(["LOG_LEVEL": agent == 0 ? "trace" : "info"]) { $1 }
        }
        fleet = Fleet(program: program, folder: folder, environments: environments, journal: journal)
    }

    private static func secrets(_ database: String, _ port: Int, _ space: String) -> [String: String] {
        [
            "DATABASE_URL": "postgresql://postgres:\(password)@127.0.0.1:\(port)/\(database)",
            "SIGNALWIRE_SPACE": space, "SIGNALWIRE_PROJECT_ID": "project", "SIGNALWIRE_API_TOKEN": apiToken,
        ]
    }

    private func prepare(_ population: Write) async throws {
        try await application.run(Fixture.usersTable)
        guard try await command(["migrate"]) == 0 else { throw ChaosError("migrate failed: \(commandOutput)") }
        try await application.run(population.sql)
    }

    /// Runs a command of the product as an operator does: with a connection that nothing is done to.
    func command(_ arguments: [String]) async throws -> Int32 {
        let direct = World.secrets(database.name, server.port ?? 0, sandbox.url)
        return try await AgentProcess.run(
            fleet.program, arguments, environment: environment.merging(direct) { $1 },
            output: (folder.appending(path: "commands.out").path, folder.appending(path: "commands.err").path))
    }

    var commandOutput: String {
        (try? String(contentsOf: folder.appending(path: "commands.err"), encoding: .utf8)) ?? ""
    }

    /// Every file into which the product printed.
    var outputs: [URL] {
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { ["out", "err"].contains($0.pathExtension) }
    }

    var agents: Range<Int> { 0..<(relay.ports.count / 2) }

    /// Every way of these agents, or of all.
    func ways(_ goal: Relay.Way.Goal, of agents: [Int]? = nil) -> [Relay.Way] {
        (agents ?? Array(self.agents)).map { Relay.Way(agent: $0, goal: goal) }
    }

    func end(keepingFiles: Bool) async {
        await fleet.stopAll()
        await application.close()
        await relay.stop()
        await sandbox.stop()
        try? await server.stop(mode: .immediate)
        if !keepingFiles { try? FileManager.default.removeItem(at: folder) }
    }

    /// The product as it was built beside this program.
    private static func productProgram() throws -> String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let path = URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: "subscriber-sync").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ChaosError("\(path) is missing: build the product first (swift build --product subscriber-sync).")
        }
        return path
    }
}

extension World {
    /// The settings file of a run.
    static func settings(concurrency: Int, rate: Int) -> String {
        """
        source:
          table: public.users
          key: id
          reference: email
          where: deleted_at IS NULL
          fields:
            first_name: first_name
            job_title: title
            time_zone: time_zone
        capture:
          poll_interval: 2s
        delivery:
          concurrency: \(concurrency)
          rate: \(rate)
          timeout: 2s
          lease: 10s
        limits:
          new_subscribers: -1
          changed_share: 0
          equal_rejections: 0
        operations:
          listen: ""
        """
    }
}
