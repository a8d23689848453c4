import Logging
import Postgres
import SignalWire
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

/// A database, a sandbox, and agents between them.
struct Bench: Sendable {
    let fixture: Fixture
    let sandbox: Sandbox

    static func run(
        server: PostgresServer? = nil, before: String = "", faults: [String] = [], mapping: SourceMapping = .users,
        comparison: CaptureDefinition.Comparison = .columns, _ body: @Sendable (Bench) async throws -> Void
    ) async throws {
        try await Fixture.run(mapping: mapping, before: before, comparison: comparison, server: server) { fixture in
            let sandbox = try await Sandbox.start(SandboxOptions(faults: try faults.map(Fault.init(parsing:))))
            do {
                try await body(Bench(fixture: fixture, sandbox: sandbox))
            } catch {
                await sandbox.stop()
                throw error
            }
            await sandbox.stop()
        }
    }

    /// One agent of its own session and client, running until the body is done.
    @discardableResult
    func withAgent<Value: Sendable>(
        _ name: String = "agent", user: String? = nil, change: @Sendable (inout AgentSettings) -> Void = { _ in },
        _ body: @Sendable (Agent) async throws -> Value
    ) async throws -> Value {
        let agent = try await self.agent(name, user: user, change: change)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await agent.run() }
            let value: Value
            do {
                value = try await body(agent)
            } catch {
                agent.stop()
                throw error
            }
            agent.stop()
            try await group.waitForAll()
            return value
        }
    }

    /// Runs an agent until nothing is due.
    @discardableResult
    func runUntilIdle(
        _ name: String = "agent", change: @Sendable (inout AgentSettings) -> Void = { _ in }
    ) async throws -> DispatcherEnd? {
        let agent = try await self.agent(name) { settings in
            change(&settings)
            settings.dispatcher.isUntilIdle = true
        }
        try await agent.run()
        return agent.outcome
    }

    /// - Parameter user: the database role; `nil`: the superuser.
    func agent(
        _ name: String, user: String? = nil, change: @Sendable (inout AgentSettings) -> Void
    ) async throws -> Agent {
        let dsn = fixture.database.dsn + (user.map { "&user=\($0)" } ?? "")
        let listening = ConnectionSettings(dsn: dsn, applicationName: name)
        var settings = AgentSettings(
            dispatcher: DispatcherSettings(rate: 0, timeout: .seconds(5), lease: .seconds(20)), rules: PushRules(),
            newSubscriberLimit: nil, logRetention: nil, listening: listening)
        change(&settings)
        let client = SubscriberClient(
            settings: SignalWireSettings(
                space: try Space(parsing: sandbox.url), projectID: "project", apiToken: "planted-api-token",
                applicationID: nil, tokenTTL: .seconds(300), timeout: settings.dispatcher.timeout,
                connections: settings.dispatcher.concurrency))
        var logger = Logger(label: name, factory: { _ in SwiftLogNoOpLogHandler() })
        logger.logLevel = .critical
        return Agent(
            identity: AgentIdentity(id: name, host: "test", pid: 1, version: "test"), settings: settings,
            store: try await fixture.store(name, dsn: dsn, lease: settings.dispatcher.lease), client: client,
            logger: logger)
    }

    func status(_ key: String) async throws -> String? {
        try await fixture.value("SELECT status FROM subscriber_sync.subscriber WHERE user_key = '\(key)'")
    }

    /// Waits until the sandbox knows this of the reference.
    func sees(_ reference: String, _ field: String, _ value: String) async throws {
        await eventually(within: .seconds(10), "\(reference) has \(field) \(value)") {
            sandbox.subscriber(reference: reference)?.profile[field] == value
        }
    }

    /// Everybody in scope is at the sandbox as the table has them, nobody else is, and nobody was called twice at once.
    func agrees() async throws {
        let rows = try await fixture.session.query(
            Statement<[String?]>(
                "rows", "SELECT email, first_name, title, time_zone FROM public.users WHERE deleted_at IS NULL"
            ) { row throws(PostgresError) in
                [try row.text(0), try row.optionalText(1), try row.optionalText(2), try row.optionalText(3)]
            })
        var stale: [String] = []
        for row in rows {
            let held = sandbox.subscriber(reference: row[0] ?? "")?.profile ?? ["missing": ""]
            let told = ["first_name", "job_title", "time_zone"].map { held[$0] ?? "" }
            if held["missing"] != nil || told != row.dropFirst().map({ $0 ?? "" }) { stale.append(row[0] ?? "") }
        }
        #expect(stale.isEmpty, "stale: \(stale.prefix(5))")
        #expect(sandbox.statistics().overlaps == 0)
        #expect(sandbox.statistics().foldedDuplicates == 0)
    }
}
