import Logging
import Operations
import SyncCore

/// Every key of the settings, once: its name, type, bounds, default, and a sentence for operators.
///
/// The bounds are wide; they keep out what can only be a slip, such as a lease of a month.
enum SettingTable {
    // MARK: The users table

    static let table = Setting(
        "source.table", .tableName, standard: TableName(schema: "public", name: "users"),
        "The table whose rows are the users.")
    static let key = Setting(
        "source.key", .text("the name of a column"), standard: "id",
        "The column that tells users apart: unique and not null.")
    static let reference = Setting(
        "source.reference", .optionalText("the name of a column"), standard: nil,
        "The column with what the application passes as reference when it mints tokens; required.")
    static let scope = Setting(
        "source.where", .optionalText("an SQL condition on the table's columns"), standard: nil,
        "Who is synced; without it, everybody.")

    /// The column for one field of the profile.
    static func column(of field: ProfileField) -> Setting<String?> {
        Setting(
            fieldPrefix + field.rawValue,
            .optionalText("the name of a column, or an SQL expression in parentheses"), standard: nil,
            "The column, or the SQL expression in parentheses, that becomes SignalWire's \(field.rawValue).")
    }

    /// The text for one field of the profile.
    static func constant(of field: ProfileField) -> Setting<String?> {
        Setting(
            constantPrefix + field.rawValue, field == .timeZone ? .timeZone : .optionalText("a text"), standard: nil,
            "What is sent as SignalWire's \(field.rawValue) where its column is blank, or it has none.")
    }

    static let profile = Setting(
        "source.profile", .optionalTableName, standard: nil,
        "The table or view that the fields are read from, joined by its column named as source.key.")

    static let updatedAt = Setting(
        "source.updated_at", .optionalText("the name of a column"), standard: nil,
        "The column that says when a row was last changed; polling then reads young rows often, and all seldom.")

    /// What the paths of the mapped fields begin with.
    static let fieldPrefix = "source.fields."
    /// What the paths of constants begin with.
    static let constantPrefix = "source.constants."
    /// The one field of SignalWire's that is known and refused.
    static let passwordPaths = [fieldPrefix + "password", constantPrefix + "password"]

    // MARK: Finding changes

    static let captureMode = Setting(
        "capture.mode", .choice(), standard: Settings.Capture.Mode.listen,
        "How changes are found: by triggers, or by comparing.")
    static let pollInterval = Setting(
        "capture.poll_interval", .duration(.milliseconds(100)...day), standard: .seconds(5),
        "How long a change can go unnoticed when no notification comes; in poll mode, the period.")
    static let sweepInterval = Setting(
        "capture.sweep_interval", .durationOrNone(upTo: year), standard: .seconds(21_600),
        "How often all users are compared; 0 is only when something may be hidden.")
    static let sweepRate = Setting(
        "capture.sweep_rate", .integer(1...10_000_000), standard: 10_000,
        "The rows compared a second, over all agents of the database.")
    static let notify = Setting(
        "capture.notify", .choice(), standard: Settings.Capture.Notification.guarded,
        "Whether the triggers wake the agent: at most one notification in flight, or none.")
    static let compare = Setting(
        "capture.compare", .choice(), standard: Settings.Capture.Comparison.columns,
        "Whether the triggers name the mapped columns, or compare rows and depend on no column.")

    static let onReplica = Setting(
        "capture.on_replica", .boolean, standard: false,
        "Whether the triggers fire also for what replication applies.")
    static let related = Setting(
        "capture.related", .relatedTables, standard: [], isList: true,
        "Other tables that profiles are read from, whose changes make users due who refer to them.")

    // MARK: The neighbours

    static let databaseURL = Setting(
        "database.url", .secret("a libpq connection string"), standard: nil, exposure: .connectionString,
        "The database of the users table; what it leaves open comes from the PG variables.")
    static let databaseListenURL = Setting(
        "database.listen_url", .secret("a libpq connection string"), standard: nil, exposure: .connectionString,
        "A direct connection to listen on, where the other goes through a pooler.")
    static let space = Setting(
        "signalwire.space", .space, standard: nil, "The SignalWire space.")
    static let projectID = Setting(
        "signalwire.project_id", .optionalText("the project's id"), standard: nil, exposure: .account,
        "The project of the API token.")
    static let apiToken = Setting(
        "signalwire.api_token", .secret("the API token"), standard: nil, exposure: .secret,
        "The API token, with the scope for subscribers.")
    static let applicationID = Setting(
        "signalwire.application_id", .uuid("an application's id, such as 8f0a119a-cae7-4469-a37d-5d7b0a2e8f11"),
        standard: nil,
        "The application that the tokens are for.")
    static let tokenTTL = Setting(
        "signalwire.token_ttl", .duration(.seconds(60)...day), standard: .seconds(300),
        "How long the token is valid that each push mints and nobody wants.")

    // MARK: Pace

    /// The connections that there can be; how many are open is the dispatcher's decision, also after a reload.
    static let mostConcurrency = 1000
    static let concurrency = Setting(
        "delivery.concurrency", .integer(1...mostConcurrency), standard: 32, "The requests in flight per agent.")
    static let rate = Setting(
        "delivery.rate", .number(0...1_000_000), standard: 100,
        "The requests per second over all agents of the database; 0 is unlimited.")
    static let timeout = Setting(
        "delivery.timeout", .duration(.milliseconds(100)...(.seconds(600))), standard: .seconds(15),
        "The deadline of one request.")
    static let lease = Setting(
        "delivery.lease", .duration(.seconds(10)...(.seconds(3600))), standard: .seconds(60),
        "How long a user is left to the agent that took it.")

    // MARK: Brakes and policies

    static let newSubscribers = Setting(
        "limits.new_subscribers", .limit(upTo: 1_000_000_000), standard: 1000,
        "The new, billable subscribers in 24 hours; 0 creates none, -1 is no limit.")
    static let changedShare = Setting(
        "limits.changed_share", .integer(0...100), standard: 30,
        "The percent of known subscribers that may change within 10 minutes; 0 is off.")
    static let equalRejections = Setting(
        "limits.equal_rejections", .integer(0...10_000), standard: 20,
        "The users in a row that may meet the same rejection before pushing is paused; 0 is off.")
    static let onReferenceChange = Setting(
        "identity.on_reference_change", .choice(), standard: PushRules.ReferenceChange.hold,
        "What becomes of a user whose reference changed; new creates a second subscriber.")
    static let cleared = Setting(
        "values.cleared", .choice(), standard: PushRules.Cleared.sendEmpty,
        "What becomes of a field that was sent once and is blank now.")
    static let invalidTimeZone = Setting(
        "values.invalid_time_zone", .choice(), standard: ValueRules.InvalidTimeZone.omit,
        "What becomes of a time zone that is no name of the tz database, nor one that is translated into one.")
    static let country = Setting(
        "values.country", .choice(), standard: ValueRules.Country.asIs,
        "How a country is sent; iso2 translates English names and codes of three letters.")
    static let displayName = Setting(
        "values.display_name", .choice(), standard: ValueRules.DisplayName.asIs,
        "What stands in for a blank display name; full_name is the first and the last name.")

    // MARK: Watching it

    static let operationsListen = Setting(
        "operations.listen", .listenAddress, standard: ListenAddress(host: "127.0.0.1", port: 9464),
        isEmptyAValue: true, "Where the health endpoints listen; empty is off.")
    static let operationsToken = Setting(
        "operations.token", .operationsToken, standard: nil, exposure: .secret,
        "What opens the status page, as a password or bearer token; without one it is open on loopback alone.")
    static let webhookSecret = Setting(
        "webhook.secret", .webhookSecrets, standard: nil, exposure: .secret,
        "What messages to the webhook are signed with; several while it is being changed; without one it is off.")
    static let webhookKeyPaths = Setting(
        "webhook.key_paths", .keyPaths, standard: [KeyPath("data.user_key")].compactMap { $0 }, isList: true,
        "Where a message names the users who changed.")
    static let webhookRate = Setting(
        "webhook.rate", .number(0...1_000_000), standard: 50,
        "The messages a second that each agent takes; 0 is unlimited.")
    static let logLevel = Setting(
        "log.level", .choice(), standard: Logger.Level.info, "The least severe line that is written.")
    static let logFormat = Setting(
        "log.format", .choice(), standard: Settings.Log.Format.text, "How a line is written to stderr.")
    static let logRetention = Setting(
        "log.retention", .durationOrNone(upTo: year * 100), standard: day * 30,
        "How long rows of the log table are kept; 0 is for ever.")
    static let logMaxRows = Setting(
        "log.max_rows", .limit(upTo: 10_000_000_000), standard: 10_000_000,
        "How many rows the log table keeps at most; -1 is no limit.")

    private static let day = Duration.seconds(86_400)
    private static let year = day * 366
}
