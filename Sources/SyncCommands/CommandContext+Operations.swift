import Logging
import Operations
import Postgres
import SyncAgent
import SyncStore

extension CommandContext {
    /// The endpoints beside an agent; `nil` where they are turned off.
    func operations(
        _ agent: Agent, _ store: Store, _ registry: MetricRegistry, _ logger: Logger
    ) -> OperationsService? {
        guard let address = settings.operations.listen else { return nil }
        // A session of their own: what they read takes its time, and nobody's push waits for it.
        let own = store.onSession(Session(store.connection))
        let standing = AgentStanding(
            pulse: agent.pulse, isToListen: agent.isToListen, isListening: { agent.wakeUp == .notify },
            reconnects: { await agent.reconnects + [("operations", await own.reconnects)] })
        return OperationsService(
            settings: OperationsSettings(
                host: address.host, port: address.port, version: SubscriberSync.version,
                webhook: webhook(agent.inlet(own)), token: settings.operations.token, concern: { $0.concern }),
            standing: standing, registry: registry, store: own, logger: logger)
    }

    private func webhook(_ inlet: ChangeInlet) -> WebhookSettings? {
        let webhook = settings.webhook
        return webhook.secrets.map { secrets in
            WebhookSettings(secrets: secrets, keyPaths: webhook.keyPaths, rate: webhook.rate) {
                users, message throws(StoreError) in try await inlet.mark(users, message: message)
            }
        }
    }
}
