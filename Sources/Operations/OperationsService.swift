import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import SyncAgent
import SyncStore

/// The endpoints for those who watch an agent: probes, metrics, the webhook, and the status page.
///
/// A port that can't be had is no reason not to sync: it is logged, and the agent goes on without.
public struct OperationsService: Service {
    private let settings: OperationsSettings
    private let standing: AgentStanding
    private let registry: MetricRegistry
    private let store: Store
    private let figures: FigureCache<FleetFigures>
    private let webhook: WebhookEndpoint?
    private let history = FleetHistory()
    private let page: StatusPage
    private let logger: Logger

    /// - Parameter store: one on a session of its own, which nothing else waits for.
    public init(
        settings: OperationsSettings, standing: AgentStanding, registry: MetricRegistry, store: Store, logger: Logger
    ) {
        self.settings = settings
        self.standing = standing
        self.registry = registry
        self.store = store
        figures = FigureCache { try await store.figures() }
        page = StatusPage(
            gatekeeper: Gatekeeper(host: settings.host, token: settings.token), version: settings.version,
            standing: standing, figures: figures,
            people: FigureCache {
                StatusPage.People(attention: try await store.attention(), agents: try await store.livingAgents())
            }, history: history, concern: settings.concern)
        webhook = settings.webhook.map { WebhookEndpoint(settings: $0, registry: registry, logger: logger) }
        self.logger = logger
    }

    public func run() async throws {
        let (history, figures) = (history, figures)
        let follower = Task { await history.follow(figures) }
        await serve()
        follower.cancel()
        await store.close()
    }

    private func serve() async {
        do {
            try await application.run()
        } catch is CancellationError {
            return
        } catch {
            logger.warning(
                "no operations endpoints: the address can't be listened on",
                metadata: [
                    "address": "\(settings.host):\(settings.port)",
                    "hint": "set operations.listen to a free port, or to nothing",
                ])
            try? await gracefulShutdown()
        }
    }

    /// Few connections at a time, and none that stays silent: who watches is never many.
    private var application: some ApplicationProtocol {
        var quiet = Logger(label: "subscriber-sync.operations")
        quiet.logLevel = .critical
        let (host, logger) = (settings.host, logger)
        return Application(
            router: router(), server: .http1(configuration: .init(idleTimeout: .seconds(30))),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(64)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.info("operations endpoints listen", metadata: ["address": "\(host):\(port)"])
            },
            logger: quiet)
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        let pulse = standing.pulse
        router.get("livez") { _, _ in Health.live(pulse.reading, now: .now).response }
        router.get("readyz") { _, _ in Health.ready(pulse.reading).response }
        router.get("metrics") { _, _ in await self.metrics() }
        page.add(to: router)
        if let webhook { router.post("webhooks/users") { request, _ in await webhook.answer(request) } }
        return router
    }

    private func metrics() async -> Response {
        let latest = await figures.latest()
        var exposition = Exposition()
        await AgentCollector(registry: registry, standing: standing, version: settings.version)
            .collect(into: &exposition)
        FleetCollector(latest: latest).collect(into: &exposition)
        ProcessCollector().collect(into: &exposition)
        return Response(
            status: .ok, headers: [.contentType: Exposition.contentType],
            body: .init(byteBuffer: .init(string: exposition.text)))
    }
}

/// What the endpoints are told once.
public struct OperationsSettings: Sendable {
    let host: String
    /// 0: a free one, which the log names.
    let port: Int
    /// The program's.
    let version: String
    /// `nil`: it is off.
    let webhook: WebhookSettings?
    /// What opens the status page beyond loopback; `nil`: nothing does.
    let token: OperationsToken?
    /// What is the matter with the fleet, in one sentence; `nil`: nothing.
    let concern: @Sendable (FleetStatus) -> String?

    public init(
        host: String, port: Int, version: String, webhook: WebhookSettings? = nil, token: OperationsToken? = nil,
        concern: @escaping @Sendable (FleetStatus) -> String?
    ) {
        self.host = host
        self.port = port
        self.version = version
        self.webhook = webhook
        self.token = token
        self.concern = concern
    }
}
