import SyncCore

/// One pass over all keys: the typed values, where each came from, and what is wrong.
///
/// A wrong value is noted and its default taken in its place, so that the pass goes on and finds the rest.
struct SettingsReading {
    private let layers: SettingsLayers
    private(set) var problems: [SettingsProblem]
    private(set) var effective: [EffectiveSetting] = []
    /// The keys with a wrong value: rules between keys are silent about them.
    private var failed: Set<String> = []

    init(layers: SettingsLayers, problems: [SettingsProblem]) {
        self.layers = layers
        self.problems = problems
    }

    /// Reads every key once.
    mutating func settings(needsSource: Bool) -> Settings {
        Settings(
            source: source(isNeeded: needsSource), capture: capture(), database: database(),
            signalwire: signalwire(), delivery: delivery(), limits: limits(), rules: rules(),
            values: values(),
            operations: Settings.Endpoints(
                listen: value(of: SettingTable.operationsListen), token: value(of: SettingTable.operationsToken)),
            webhook: webhook(), log: log())
    }

    /// One key's value.
    private mutating func value<Value>(of setting: Setting<Value>) -> Value {
        let definition = setting.definition
        guard let finding = layers.finding(for: definition) else {
            note(definition, definition.standardText, .standard)
            return setting.standard
        }
        do {
            let value = try setting.value(of: finding.text)
            note(definition, finding.text.trimmingSpace(), finding.origin)
            return value
        } catch {
            failed.insert(definition.path)
            effective.append(
                EffectiveSetting(key: definition.path, value: nil, origin: finding.origin, isWrong: true))
            problems.append(
                SettingsProblem(
                    "\(definition.path) \(error.what) (\(finding.origin)).",
                    hint: error.hint ?? "Write \(definition.form)."))
            return setting.standard
        }
    }

    private mutating func note(_ definition: SettingDefinition, _ text: String, _ origin: SettingOrigin) {
        effective.append(
            EffectiveSetting(key: definition.path, value: definition.shown(text), origin: origin))
    }
}

extension SettingsReading {
    /// The mapping, or nothing where it is incomplete.
    private mutating func source(isNeeded: Bool) -> Settings.Source? {
        let table = value(of: SettingTable.table)
        let key = value(of: SettingTable.key)
        let reference = value(of: SettingTable.reference)
        let scope = value(of: SettingTable.scope)
        let updatedAt = value(of: SettingTable.updatedAt)
        let profile = value(of: SettingTable.profile)
        let fields = each(SettingTable.column)
        let constants = each(SettingTable.constant)
        if isNeeded { requireSource(reference, fields) }
        guard let reference, !fields.isEmpty else { return nil }
        return Settings.Source(
            table: table, key: key, reference: reference, scope: scope, fields: fields, constants: constants,
            updatedAt: updatedAt, profile: profile)
    }

    /// The text for each field that has one.
    private mutating func each(_ setting: (ProfileField) -> Setting<String?>) -> [ProfileField: String] {
        var texts: [ProfileField: String] = [:]
        for field in ProfileField.allCases { texts[field] = value(of: setting(field)) }
        return texts
    }

    private mutating func requireSource(_ reference: String?, _ fields: [ProfileField: String]) {
        let referencePath = SettingTable.reference.definition.path
        if reference == nil, !failed.contains(referencePath) { problems.append(SettingsRules.noReference) }
        let hasFailedField = failed.contains { $0.hasPrefix(SettingTable.fieldPrefix) }
        if fields.isEmpty, !hasFailedField { problems.append(SettingsRules.noField) }
    }

    private mutating func capture() -> Settings.Capture {
        Settings.Capture(
            mode: value(of: SettingTable.captureMode), pollInterval: value(of: SettingTable.pollInterval),
            sweepInterval: value(of: SettingTable.sweepInterval), sweepRate: value(of: SettingTable.sweepRate),
            notify: value(of: SettingTable.notify), compare: value(of: SettingTable.compare),
            onReplica: value(of: SettingTable.onReplica), related: value(of: SettingTable.related))
    }

    private mutating func database() -> Settings.Database {
        Settings.Database(
            url: value(of: SettingTable.databaseURL), listenURL: value(of: SettingTable.databaseListenURL))
    }

    private mutating func signalwire() -> Settings.SignalWire {
        Settings.SignalWire(
            space: value(of: SettingTable.space), projectID: value(of: SettingTable.projectID),
            apiToken: value(of: SettingTable.apiToken), applicationID: value(of: SettingTable.applicationID),
            tokenTTL: value(of: SettingTable.tokenTTL))
    }

    private mutating func delivery() -> Settings.Delivery {
        let delivery = Settings.Delivery(
            concurrency: value(of: SettingTable.concurrency), rate: value(of: SettingTable.rate),
            timeout: value(of: SettingTable.timeout), lease: value(of: SettingTable.lease))
        let (timeout, lease) = (SettingTable.timeout.definition, SettingTable.lease.definition)
        let areRight = failed.isDisjoint(with: [timeout.path, lease.path])
        // The one that somebody wrote is the one to name; of two, the lease.
        let origin = (layers.finding(for: lease) ?? layers.finding(for: timeout))?.origin ?? .standard
        let problem = SettingsRules.problem(lease: delivery.lease, timeout: delivery.timeout, origin: origin)
        if areRight, let problem { problems.append(problem) }
        return delivery
    }

    private mutating func limits() -> Settings.Limits {
        Settings.Limits(
            newSubscribers: value(of: SettingTable.newSubscribers),
            changedSharePercent: value(of: SettingTable.changedShare),
            equalRejections: value(of: SettingTable.equalRejections))
    }

    private mutating func rules() -> PushRules {
        let referenceChange = value(of: SettingTable.onReferenceChange)
        return PushRules(cleared: value(of: SettingTable.cleared), referenceChange: referenceChange)
    }

    private mutating func values() -> Settings.Values {
        Settings.Values(
            invalidTimeZone: value(of: SettingTable.invalidTimeZone), country: value(of: SettingTable.country),
            displayName: value(of: SettingTable.displayName))
    }

    private mutating func webhook() -> Settings.Webhook {
        Settings.Webhook(
            secrets: value(of: SettingTable.webhookSecret), keyPaths: value(of: SettingTable.webhookKeyPaths),
            rate: value(of: SettingTable.webhookRate))
    }

    private mutating func log() -> Settings.Log {
        Settings.Log(
            level: value(of: SettingTable.logLevel), format: value(of: SettingTable.logFormat),
            retention: value(of: SettingTable.logRetention), maxRows: value(of: SettingTable.logMaxRows))
    }
}
