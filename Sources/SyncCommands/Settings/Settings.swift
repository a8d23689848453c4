import Logging
import Operations
import SignalWire
import SyncCore

/// What the operator decided, typed and checked. Made by `SettingsLoader`.
struct Settings: Sendable, Hashable {
    /// `nil`: no reference or no field is named; only commands that touch no user work then.
    let source: Source?
    let capture: Capture
    let database: Database
    let signalwire: SignalWire
    let delivery: Delivery
    let limits: Limits
    /// The policies for changed references and for blank fields.
    let rules: PushRules
    let values: Values
    let operations: Endpoints
    let webhook: Webhook
    let log: Log

    /// Which columns of which table are synced.
    struct Source: Sendable, Hashable {
        let table: TableName
        /// Unique and not null.
        let key: String
        /// The column with what the application passes as reference.
        let reference: String
        /// An SQL condition: who is synced. `nil`: everybody.
        let scope: String?
        /// The column of each mapped field, or an SQL expression in parentheses; at least one.
        let fields: [ProfileField: String]
        /// What is sent for a field whose column is blank, or which has none.
        let constants: [ProfileField: String]
        /// The column that says when a row was changed, for polling. `nil`: there is none.
        let updatedAt: String?
        /// Where the fields are read from, if not from the table itself.
        let profile: TableName?
    }

    /// How changes are found.
    struct Capture: Sendable, Hashable {
        /// By triggers, or by comparing.
        enum Mode: String, Sendable, CaseIterable { case listen, poll }
        /// Whether triggers wake the agent.
        enum Notification: String, Sendable, CaseIterable { case guarded, off }
        /// What triggers look at.
        enum Comparison: String, Sendable, CaseIterable { case columns, row }

        let mode: Mode
        let pollInterval: Duration
        /// `nil`: only when something may be hidden.
        let sweepInterval: Duration?
        /// Rows compared a second, over all agents.
        let sweepRate: Int
        let notify: Notification
        let compare: Comparison
        /// Whether triggers fire also for what replication applies.
        let onReplica: Bool
        /// Other tables whose changes matter.
        let related: [Related]
    }

    /// How to reach PostgreSQL.
    struct Database: Sendable, Hashable {
        /// `nil`: as the `PG*` variables say.
        let url: Secret?
        /// `nil`: listen on the same.
        let listenURL: Secret?
    }

    /// How to reach SignalWire. The account is optional here, because some commands need none.
    struct SignalWire: Sendable, Hashable {
        let space: Space?
        let projectID: String?
        let apiToken: Secret?
        let applicationID: String?
        let tokenTTL: Duration
    }

    /// The pace of the calls.
    struct Delivery: Sendable, Hashable {
        /// Requests in flight per agent.
        let concurrency: Int
        /// Requests a second over all agents; 0: unlimited.
        let rate: Double
        /// The deadline of one request.
        let timeout: Duration
        /// At least 5 s longer than the deadline, so that an answer can be written down.
        let lease: Duration
    }

    /// The brakes.
    struct Limits: Sendable, Hashable {
        /// In 24 hours; `nil`: no limit.
        let newSubscribers: Int?
        /// Percent of the known subscribers within 10 minutes; 0: off.
        let changedSharePercent: Int
        /// How many users in a row may meet the same rejection; 0: any number.
        let equalRejections: Int
    }

    /// What columns' texts become.
    struct Values: Sendable, Hashable {
        let invalidTimeZone: ValueRules.InvalidTimeZone
        let country: ValueRules.Country
        let displayName: ValueRules.DisplayName
    }

    /// The endpoints for those who watch an agent.
    struct Endpoints: Sendable, Hashable {
        /// `nil`: off.
        let listen: ListenAddress?
        /// What opens the status page; `nil`: nothing, and beyond loopback it is closed.
        let token: OperationsToken?
    }

    /// Word of changes from the application itself.
    struct Webhook: Sendable, Hashable {
        /// `nil`: off.
        let secrets: WebhookSecrets?
        let keyPaths: [KeyPath]
        /// Messages a second; 0: any number.
        let rate: Double
    }

    /// The lines on stderr, and the log table.
    struct Log: Sendable, Hashable {
        /// Lines for eyes, or one JSON object a line.
        enum Format: String, Sendable, CaseIterable { case text, json }

        let level: Logger.Level
        let format: Format
        /// How long rows of the log table are kept; `nil`: for ever.
        let retention: Duration?
        /// How many of them at most; `nil`: any number.
        let maxRows: Int?
    }
}

extension Settings {
    /// What decides, besides the columns, what is sent.
    var valueRules: ValueRules {
        ValueRules(
            invalidTimeZone: values.invalidTimeZone, country: values.country, displayName: values.displayName,
            constants: source?.constants ?? [:])
    }

    /// The mapping, for the commands that need one.
    func requiredSource() throws(SettingsError) -> Source {
        guard let source else { throw SettingsError([SettingsRules.noReference]) }
        return source
    }
}

extension Settings.SignalWire {
    /// The three things that every call needs.
    struct Account: Sendable, Hashable {
        let space: Space
        let projectID: String
        let apiToken: Secret
    }

    /// The account, for the commands that call SignalWire.
    ///
    /// - Throws: a problem for each part that is missing.
    func account() throws(SettingsError) -> Account {
        guard let space, let projectID, let apiToken else { throw SettingsError(missingParts()) }
        return Account(space: space, projectID: projectID, apiToken: apiToken)
    }

    /// A problem for each part of the account that nobody gave.
    ///
    /// - Parameter wrong: paths of keys that were given and can't be used.
    func missingParts(except wrong: Set<String> = []) -> [SettingsProblem] {
        let parts = [
            (space == nil, SettingTable.space.definition, "the space's name, as in NAME.signalwire.com"),
            (projectID == nil, SettingTable.projectID.definition, "the project's id"),
            (apiToken == nil, SettingTable.apiToken.definition, "an API token with the scope for subscribers"),
        ]
        return parts.filter { $0.0 && !wrong.contains($0.1.path) }.map { _, definition, what in
            SettingsProblem("\(definition.path) is not set.", hint: "Set \(definition.environmentName) to \(what).")
        }
    }
}
