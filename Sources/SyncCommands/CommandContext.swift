import Logging
import Postgres
import SignalWire
import SyncAgent
import SyncCore
import SyncStore

/// What a command works with: the settings, read once, and what is made of them.
struct CommandContext: Sendable {
    let settings: Settings
    /// Every key, with its value as far as it may be shown.
    let effective: [EffectiveSetting]
    private let loader: SettingsLoader

    /// Reads the settings.
    ///
    /// - Parameter needsSource: whether the command can't do without a mapping.
    /// - Throws: everything that is wrong with them, at once.
    init(
        _ options: SettingsOptions, needsSource: Bool = true, loader: SettingsLoader = .ofThisProcess
    ) throws(Failure) {
        do {
            let loaded = try loader.load(options, needsSource: needsSource)
            settings = loaded.settings
            effective = loaded.effective
        } catch {
            throw Failure(error)
        }
        self.loader = loader
    }

    /// Who asks, for the log table.
    var operatorName: String { "\(Host.user)@\(Host.name)" }

    var rules: PushRules { settings.rules }
    var keyColumn: String { settings.source.map { "\($0.table).\($0.key)" } ?? "source.key" }
    /// Where the value of each field comes from that may be sent.
    var fieldSources: [ProfileField: String] {
        let mapped = settings.source?.fields ?? [:]
        let rules = settings.valueRules
        let others = rules.sentFields(mapped: mapped.keys).map { field in
            (field, field == .displayName && rules.displayName == .fullName ? "(the full name)" : "(a constant)")
        }
        return mapped.merging(others) { column, _ in column }
    }

    /// Runs something with the database; what goes wrong ends the command.
    func checked<Value>(
        _ work: () async throws(StoreError) -> Value
    ) async throws(Failure) -> Value {
        do {
            return try await work()
        } catch {
            throw Failure(error)
        }
    }
}

// MARK: - The database

extension CommandContext {
    /// A session on the configured database; it connects when it is first asked something.
    func session() throws(Failure) -> Session { Session(try connection()) }

    private func connection() throws(Failure) -> ConnectionSettings {
        do {
            return try DatabaseSettings(settings.database, loader.environment).connection()
        } catch {
            throw Failure(error)
        }
    }

    func listening() throws(Failure) -> ConnectionSettings {
        do {
            return try DatabaseSettings(settings.database, loader.environment).listening()
        } catch {
            throw Failure(error)
        }
    }

    /// The mapping, as the store wants it.
    func mapping() throws(Failure) -> SourceMapping {
        do {
            let source = try settings.requiredSource()
            return SourceMapping(
                table: QualifiedName(source.table), key: source.key, reference: source.reference,
                scope: source.scope, fields: source.fields, profile: source.profile.map(QualifiedName.init),
                related: settings.capture.related.map(RelatedTable.init), capture: capture,
                updatedAt: source.updatedAt, values: settings.valueRules)
        } catch {
            throw Failure(error)
        }
    }

    func source(in session: Session) async throws(Failure) -> SourceTable {
        let mapping = try mapping()
        return try await checked { () async throws(StoreError) in try await SourceTable.find(mapping, in: session) }
    }

    func store(_ session: Session, agent: String) async throws(Failure) -> Store {
        let mapping = try mapping()
        return try await checked { () async throws(StoreError) in
            try await Store.open(session, mapping: mapping, lease: settings.delivery.lease, agent: agent)
        }
    }

    /// What the source has to be able to.
    private var capture: SourceMapping.Capture {
        switch settings.capture.mode {
        case .listen: .triggers
        case .poll: .polling
        }
    }

    private var sweeping: AgentSettings.Sweeping {
        let mode: AgentSettings.Sweeping.Mode =
            switch settings.capture.mode {
            case .listen: .listen
            case .poll: .poll
            }
        return AgentSettings.Sweeping(
            mode: mode, interval: settings.capture.sweepInterval,
            pages: SweepSettings(rate: settings.capture.sweepRate))
    }

    var comparison: CaptureDefinition.Comparison {
        switch settings.capture.compare {
        case .columns: .columns
        case .row: .row
        }
    }

    /// Whether triggers tell of changes.
    var isListening: Bool { settings.capture.mode == .listen }
    /// Whether they are to knock as well.
    var wantsNotifications: Bool { isListening && settings.capture.notify == .guarded }

    /// What `migrate` would do to the users table.
    func captureWork(for source: SourceTable, in session: Session) async throws(StoreError) -> CaptureInstaller.Work {
        let installer = CaptureInstaller(session: session)
        return switch source.mapping.capture {
        case .triggers:
            try await installer.plan(
                for: source, comparison: comparison, notification: notification,
                firesOnReplica: settings.capture.onReplica)
        case .polling: try await installer.removal(from: source)
        }
    }

    var notification: CaptureDefinition.Notification {
        switch settings.capture.notify {
        case .guarded: .guarded
        case .off: .off
        }
    }
}

// MARK: - SignalWire and the agent

extension CommandContext {
    func signalWire() throws(Failure) -> SignalWireSettings {
        do {
            let account = try settings.signalwire.account()
            return SignalWireSettings(
                space: account.space, projectID: account.projectID, apiToken: account.apiToken.reveal(),
                applicationID: settings.signalwire.applicationID, tokenTTL: settings.signalwire.tokenTTL,
                timeout: settings.delivery.timeout, connections: SettingTable.mostConcurrency,
                version: SubscriberSync.version)
        } catch {
            throw Failure(error)
        }
    }

    /// How long a token by hand is valid.
    func tokenLifetime(_ text: String?) throws(Failure) -> Duration {
        guard let text else { return settings.signalwire.tokenTTL }
        guard let lifetime = try? DurationText.parse(text) else {
            throw Failure(.usage, "--expires is not a duration.", hint: "Write it as 90s, 15m, 2h or 1h30m.")
        }
        guard lifetime >= .seconds(1), lifetime <= .seconds(365 * 86_400) else {
            throw Failure(.usage, "--expires must be from 1s to 365d.", hint: "The usual is minutes.")
        }
        return lifetime
    }

    func agentSettings(store: Store, isUntilIdle: Bool) async throws(Failure) -> AgentSettings {
        let delivery = settings.delivery
        var agent = AgentSettings(
            dispatcher: DispatcherSettings(
                concurrency: delivery.concurrency, rate: delivery.rate, timeout: delivery.timeout,
                lease: delivery.lease,
                pollInterval: settings.capture.pollInterval, isUntilIdle: isUntilIdle),
            rules: settings.rules, newSubscriberLimit: settings.limits.newSubscribers,
            logRetention: settings.log.retention, logRows: settings.log.maxRows, listening: try listening(),
            sweeping: sweeping,
            silence: try await silence(store))
        agent.changedSharePercent = settings.limits.changedSharePercent
        agent.dispatcher.equalRejections = settings.limits.equalRejections
        return agent
    }

    /// Why no change will ever knock, where that is so.
    private func silence(_ store: Store) async throws(Failure) -> String? {
        if settings.capture.mode == .poll { return "capture.mode is poll" }
        if settings.capture.notify == .off { return "capture.notify is off" }
        let isForbidden = try await checked { () async throws(StoreError) in
            try await store.allowsPreparedTransactions()
        }
        return isForbidden
            ? "max_prepared_transactions is above 0, and a transaction that notified can't be prepared" : nil
    }

    /// - Returns: what decides which lines are written from then on.
    func bootstrapLogging() -> LogThreshold {
        let threshold = LogThreshold(settings.log.level)
        let format: LineLogHandler.Format =
            switch settings.log.format {
            case .text: .text
            case .json: .json
            }
        LoggingSystem.bootstrap { _ in LineLogHandler(format: format, threshold: threshold) }
        return threshold
    }
}

extension QualifiedName {
    init(_ table: TableName) { self.init(schema: table.schema, name: table.name) }
}

extension RelatedTable {
    init(_ related: Settings.Related) {
        self.init(
            table: QualifiedName(related.table), key: related.key, columns: related.columns, users: related.users)
    }
}

extension Failure {
    init(_ error: SettingsError) { self.init(.config, error.message, hint: error.hint) }
}
