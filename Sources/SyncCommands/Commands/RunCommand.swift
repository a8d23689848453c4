import ArgumentParser
import Logging
import Operations
import ServiceLifecycle
import SignalWire
import SyncAgent
import SyncCore
import Postgres
import SyncStore
import UnixSignals

/// `subscriber-sync run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "The agent: keeps SignalWire as the users table says, until it is stopped.",
        discussion: """
            Any number of agents may run on one database; they share the work and the rate. SIGTERM finishes what is \
            in flight and exits 0; a second one exits at once.

            Examples:
              subscriber-sync run --config /etc/subscriber-sync.yaml
              subscriber-sync run --until-idle
            """)

    @Flag(help: "Exit once nothing is due and nothing is in flight; 75 if pushing is paused.")
    var untilIdle = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options)
        let threshold = context.bootstrapLogging()
        let logger = Logger(label: "subscriber-sync")
        let identity = AgentIdentity.ofThisProcess()
        let session = try context.session()
        let client = SubscriberClient(settings: try context.signalWire())
        let store = try await context.store(session, agent: identity.id)
        let settings = try await context.agentSettings(store: store, isUntilIdle: untilIdle)
        let registry = MetricRegistry()
        let agent = Agent(
            identity: identity, settings: settings, store: store, client: client, logger: logger,
            metrics: AgentMetrics(factory: registry))

        SecondSignal.exitsAtOnce()
        let operations = untilIdle ? nil : context.operations(agent, store, registry, logger)
        let reload = Reload(options: options, first: context, threshold: threshold, agent: agent, logger: logger)
        let reporting = ServiceManager.ofThisProcess.map { Reporting(manager: $0, pulse: agent.pulse) }
        try await serve(agent, [operations, reload, reporting], logger)
        await client.shutdown()
        await session.close()
        if let refusal = agent.refusal { throw Failure(refusal) }
        if let failure = agent.outcome.flatMap(Failure.init(_:)) { throw failure }
    }

    /// Runs the agent and what stands beside it; the agent's end is the end of all.
    private func serve(_ agent: Agent, _ others: [(any Service)?], _ logger: Logger) async throws {
        var services = [
            ServiceGroupConfiguration.ServiceConfiguration(
                service: agent, successTerminationBehavior: .gracefullyShutdownGroup)
        ]
        services += others.compactMap(\.self).map { .init(service: $0, successTerminationBehavior: .ignore) }
        var quiet = Logger(label: "subscriber-sync.services")
        quiet.logLevel = .error
        let group = ServiceGroup(
            configuration: .init(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        try await group.run()
    }
}

extension Failure {
    /// An end of `--until-idle` that left something undone.
    fileprivate init?(_ end: DispatcherEnd) {
        switch end {
        case .idle, .stopped: return nil
        case .paused:
            self.init(.temporary, "Users are due, but pushing is paused.", hint: "`subscriber-sync status` says why.")
        case .uncompared:
            self.init(
                .temporary, "Nothing is due, but not everybody could be compared.",
                hint: "The log says why; look at source.where and at the mapped columns.")
        }
    }
}
