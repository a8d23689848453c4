import SyncAgent
import SyncCore
import SyncStore

/// Every metric, once. The page "Metrics" of the documentation is held against it by a test.
///
/// What begins with `process_` has the names that all client libraries of Prometheus use.
enum MetricTable {
    static let all: [MetricDefinition] = ofThisAgent + ofTheFleet + ofTheProcess

    // MARK: What this agent does, counted as it happens or read as it is

    static let syncs = MetricDefinition(
        "subscriber_sync_syncs_total", .counter,
        .init(name: "outcome", values: Settlement.Outcome.allCases.map(\.rawValue)),
        "Users settled by this agent, by outcome.")
    static let leasesLost = MetricDefinition(
        "subscriber_sync_leases_lost_total", .counter,
        "Users whose lease had ended before their answer was written; they are pushed again.")
    static let requests = MetricDefinition(
        "subscriber_sync_api_requests_total", .counter,
        .init(name: "status", values: AgentMetrics.StatusClass.allCases.map(\.rawValue)),
        "Calls of SignalWire's API, by class of status; none: no answer came.")
    static let requestTime = MetricDefinition(
        "subscriber_sync_api_request_duration_seconds",
        .histogram([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]),
        "How long calls of SignalWire's API took.")
    static let latency = MetricDefinition(
        "subscriber_sync_commit_to_accepted_seconds",
        .histogram([0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]),
        "From the commit of a change until it was written down that SignalWire accepted it; without resyncs.")
    static let inFlight = MetricDefinition(
        "subscriber_sync_in_flight", .gauge, "Calls of this agent that aren't answered yet.")
    static let claimed = MetricDefinition(
        "subscriber_sync_claimed_users", .gauge, "Users that this agent has claimed and not settled yet.")
    static let concurrencyLimit = MetricDefinition(
        "subscriber_sync_concurrency_limit", .gauge,
        "How many calls this agent may have in flight: delivery.concurrency, or less while SignalWire is slower for it."
    )
    static let listenExpected = MetricDefinition(
        "subscriber_sync_listen_expected", .gauge,
        "1 where this agent should hear of changes by LISTEN; 0 where the settings or the server say otherwise.")
    static let listening = MetricDefinition(
        "subscriber_sync_listening", .gauge,
        "1 while this agent hears of changes by LISTEN; 0 while it looks at intervals.")
    static let listenLosses = MetricDefinition(
        "subscriber_sync_listen_losses_total", .counter, "How often this agent's listening connection was lost.")
    static let databaseUp = MetricDefinition(
        "subscriber_sync_database_up", .gauge, "1 if the database answered this agent last; 0 if it did not.")
    static let reconnects = MetricDefinition(
        "subscriber_sync_database_reconnects_total", .counter,
        .init(name: "session", values: ["work", "sweep", "operations"]),
        "How often a session was connected anew after it had lost its connection.")
    static let webhookStatus = "status"
    static let webhook = MetricDefinition(
        "subscriber_sync_webhook_requests_total", .counter,
        .init(name: webhookStatus, values: WebhookAnswer.statuses.map(String.init)),
        "Messages to the webhook of this agent, by the status of the answer.")
    static let buildInfo = MetricDefinition(
        "subscriber_sync_build_info", .gauge, .init(name: "version", values: []),
        "1; its label is the version of this program.")

    private static let ofThisAgent = [
        syncs, leasesLost, requests, requestTime, latency, inFlight, claimed, concurrencyLimit, listenExpected,
        listening,
        listenLosses, databaseUp, reconnects, webhook, buildInfo,
    ]

    // MARK: What the database says of the whole fleet: every agent shows the same

    static let figuresAge = MetricDefinition(
        "subscriber_sync_figures_age_seconds", .gauge,
        "How old the figures below are that come from the database; they are left out once they are too old.")
    static let users = MetricDefinition(
        "subscriber_sync_users", .gauge, .init(name: "status", values: FleetStatus.statuses), "Users, by status.")
    static let oldestUnsynced = MetricDefinition(
        "subscriber_sync_oldest_unsynced_seconds", .gauge,
        "Age of the oldest change that SignalWire does not know; 0 where there is none.")
    static let changeBacklog = MetricDefinition(
        "subscriber_sync_change_backlog", .gauge, "Changes that no agent has looked at yet.")
    static let changesWithoutKey = MetricDefinition(
        "subscriber_sync_changes_without_key", .gauge,
        "Changes that name no user, because the key column was not there under its name.")
    static let newSubscribers = MetricDefinition(
        "subscriber_sync_new_subscribers_last_day", .gauge,
        "Subscribers created within 24 hours, as limits.new_subscribers counts them.")
    static let agents = MetricDefinition("subscriber_sync_agents", .gauge, "Agents that are alive.")
    static let agentsListening = MetricDefinition(
        "subscriber_sync_agents_listening", .gauge, "Agents that hear of changes by LISTEN.")
    static let paused = MetricDefinition(
        "subscriber_sync_paused", .gauge,
        .init(name: "reason", values: ["operator", "account", "source", "copied", "suspicious"]),
        "1 while pushing is paused for the reason.")
    static let throttled = MetricDefinition(
        "subscriber_sync_throttled", .gauge, "1 while SignalWire has asked for silence.")
    static let breaker = MetricDefinition(
        "subscriber_sync_breaker_state", .gauge, .init(name: "state", values: ["closed", "half_open", "open"]),
        "1 for the state of the circuit breaker: open after SignalWire refused the account or users alike, half open "
            + "while one user is tried.")
    static let brakeEngaged = MetricDefinition(
        "subscriber_sync_brake_engaged", .gauge,
        "1 while changes of known users are held because so many came at once.")
    static let held = MetricDefinition(
        "subscriber_sync_brake_held_users", .gauge,
        .init(name: "brake", values: ["mass_change", "new_subscriber_limit"]),
        "Users that a brake holds, until approve or reject, or until the limit allows.")
    static let captureBroken = MetricDefinition(
        "subscriber_sync_capture_broken", .gauge,
        "1 while the triggers do not tell of every change, so that everybody is compared instead.")
    static let sweepRunning = MetricDefinition(
        "subscriber_sync_sweep_running", .gauge, "1 while everybody is being compared.")
    static let sweepCompared = MetricDefinition(
        "subscriber_sync_sweep_compared_users", .gauge, "Users that the sweep under way has compared; 0 without one.")
    static let sweepEnded = MetricDefinition(
        "subscriber_sync_sweep_last_end_timestamp_seconds", .gauge,
        "When the last full sweep ended, in seconds since 1970; 0 before the first.")
    static let sweepFound = MetricDefinition(
        "subscriber_sync_sweep_last_found_users", .gauge, "Users that the last full sweep found to differ.")
    static let driftFound = MetricDefinition(
        "subscriber_sync_drift_found_total", .counter, "Changes that sweeps found and nothing had told of.")
    static let notifyQueue = MetricDefinition(
        "subscriber_sync_notify_queue_usage_ratio", .gauge,
        "How full PostgreSQL's queue of notifications is; from 0.5 on the triggers do not knock.")
    static let schemaVersion = MetricDefinition(
        "subscriber_sync_schema_version", .gauge, "The version of the schema subscriber_sync.")

    private static let ofTheFleet = [
        figuresAge, users, oldestUnsynced, changeBacklog, changesWithoutKey, newSubscribers, agents, agentsListening,
        paused, throttled, breaker, brakeEngaged, held, captureBroken, sweepRunning, sweepCompared, sweepEnded,
        sweepFound, driftFound, notifyQueue, schemaVersion,
    ]

    // MARK: The process

    static let processCPU = MetricDefinition(
        "process_cpu_seconds_total", .counter, "Processor time that this process has used, in seconds.")
    static let processMemory = MetricDefinition(
        "process_resident_memory_bytes", .gauge, "Memory of this process that is resident, in bytes.")
    static let processStart = MetricDefinition(
        "process_start_time_seconds", .gauge, "When this process began, in seconds since 1970.")
    static let processFiles = MetricDefinition("process_open_fds", .gauge, "Files and sockets that are open.")
    static let processMostFiles = MetricDefinition(
        "process_max_fds", .gauge, "How many files and sockets may be open.")

    private static let ofTheProcess = [processCPU, processMemory, processStart, processFiles, processMostFiles]
}
