import ArgumentParser
import Postgres
import SyncCore
import SyncStore

/// `subscriber-sync status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "The whole picture on one screen; exit 0 if healthy, 75 if paused or behind.",
        discussion: """
            The same figures are one row of the view subscriber_sync.status. With --watch and --format json each \
            change is one JSON object on a line.

            Examples:
              subscriber-sync status
              subscriber-sync status --watch
              subscriber-sync status --format json
            """)

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @Flag(help: "A screen that is looked at anew every two seconds, until q or Ctrl-C; elsewhere, print what changed.")
    var watch = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options, needsSource: false)
        let session = try context.session()
        try await context.checked { () async throws(StoreError) in try await Migrator(session: session).checkSchema() }
        if watch {
            try await StatusWatch(session: session, format: format).run()
            await session.close()
            return
        }
        let status = try await context.checked { () async throws(StoreError) in
            try await FleetStatus.read(in: session)
        }
        await session.close()
        Terminal.out(rendered(status))
        guard status.concern == nil else { throw ExitCode(Failure.Code.temporary.rawValue) }
    }

    private func rendered(_ status: FleetStatus) -> String {
        switch format {
        case .table: status.table
        case .json: status.json.document
        }
    }
}

extension FleetStatus {
    /// How old the oldest unsynced change may be before the fleet counts as behind, in seconds.
    static let tolerableLag = 60.0

    /// What is the matter, and what to do; `nil` where everything is well.
    var concern: String? {
        if let pause {
            return pause.explanation
        }
        if let question = brakes.question { return question }
        if let captureTrouble {
            return "the triggers don't tell of every change, so everybody is compared instead: \(captureTrouble)"
        }
        if changesWithoutKey > 0 {
            return
                "\(counted(changesWithoutKey, "change")) \(changesWithoutKey == 1 ? "names" : "name") no user: the key "
                + "column was renamed? Run `migrate` with the new name"
        }
        if agents == 0, changeBacklog + count(of: "pending") + count(of: "retrying") > 0 {
            return "somebody is due, and no agent is running; start `subscriber-sync run`"
        }
        if let lagSeconds, lagSeconds > FleetStatus.tolerableLag {
            return "behind: the oldest change has waited for \(spoken(seconds: lagSeconds))"
        }
        return mapping.question
    }

    var table: String {
        Table.pairs([("health", concern ?? "ok"), ("agents", agentText)])
            + "\n" + Table.pairs(users.map { ($0.status, String($0.count)) } + [("users", String(total))])
            + "\n" + Table.pairs(flow)
    }

    var agentText: String {
        let wakeUp = agents == 0 ? "" : agentsListening == agents ? ", all notified" : ", \(agentsListening) notified"
        return "\(agents) alive\(wakeUp)" + (pollingReason.map { " (polling: \($0))" } ?? "")
    }

    var flow: [(String, String)] {
        var rows = [
            ("changes waiting", String(changeBacklog)),
            ("lag", lagSeconds.map { spoken(seconds: $0) } ?? "none"),
            ("accepted in the last minute", String(acceptedLastMinute)),
            ("backlog ends in", backlogSeconds.map { spoken(seconds: $0) } ?? "unknown: nothing was accepted lately"),
            ("new subscribers in 24 h", String(newSubscribers24h)),
        ]
        if changeBacklog + count(of: "pending") + count(of: "in_flight") == 0 { rows.remove(at: 3) }
        rows += sweeps.rows + brakes.rows + mapping.rows
        if let throttledUntil { rows.append(("SignalWire asked to wait until", throttledUntil)) }
        if let probe = pause?.nextProbe { rows.append(("next probe", probe)) }
        return rows + [("schema version", String(schemaVersion))]
    }

    var json: JSON {
        .object([
            ("healthy", .bool(concern == nil)),
            ("concern", .optional(concern)),
            ("users", .object(users.map { ($0.status, .int($0.count)) } + [("total", .int(total))])),
            ("change_backlog", .int(changeBacklog)),
            ("changes_without_key", .int(changesWithoutKey)),
            ("lag_seconds", .optional(lagSeconds)),
            ("accepted_last_minute", .int(acceptedLastMinute)),
            ("backlog_seconds", .optional(backlogSeconds)),
            ("pause", pause?.json ?? .null),
            ("throttled_until", .optional(throttledUntil)),
            ("agents", .int(agents)),
            ("agents_listening", .int(agentsListening)),
            ("polling_reason", .optional(pollingReason)),
            ("new_subscribers_24h", .int(newSubscribers24h)),
            ("sweep", sweeps.json),
            ("capture_trouble", .optional(captureTrouble)),
            ("brakes", brakes.json),
            ("mapping", mapping.json),
            ("schema_version", .int(schemaVersion)),
        ])
    }
}

extension FleetStatus.Brakes {
    /// What an operator is asked; `nil`: nothing.
    fileprivate var question: String? {
        if since != nil {
            return
                "\(changed ?? 0) of \(known ?? 0) known users changed within 10 minutes, which looks like a mistake; "
                + "their changes are held until `approve` or `reject`"
        }
        if heldChanged > 0 { return "\(heldChanged) changed users are held; `approve` pushes them, `reject` doesn't" }
        guard heldNew > 0 else { return nil }
        return "\(heldNew) new subscribers are held, because limits.new_subscribers is used up; `approve` creates them"
    }

    fileprivate var rows: [(String, String)] {
        guard heldChanged > 0 else { return [] }
        let users = ("held changes", "\(heldChanged), of users such as \(sample.joined(separator: ", "))")
        return [users] + fields.map { ("  " + $0.field, "of \(counted($0.users, "user"))") }
    }

    fileprivate var json: JSON {
        .object([
            ("braked_at", .optional(since)), ("braked_changed", .optional(changed)),
            ("braked_known", .optional(known)), ("held_mass_change", .int(heldChanged)),
            ("held_sample", .array(sample.map(JSON.string))),
            ("held_fields", .object(fields.map { ($0.field, .int($0.users)) })),
            ("held_new_subscriber_limit", .int(heldNew)),
        ])
    }
}

extension FleetStatus.Sweeps {
    fileprivate var rows: [(String, String)] {
        var rows: [(String, String)] = []
        if let reason, let compared { rows.append(("sweep under way", "\(reason), \(compared) users compared")) }
        if let endedAt, let endedReason {
            let figures = "\(endedCompared ?? 0) compared, \(endedFound ?? 0) differed"
            rows.append(("last sweep", "\(endedAt), \(endedReason): \(figures)"))
        }
        if baselineAt == nil { rows.append(("first sweep", "not ended yet: who was there before isn't known")) }
        return rows + [("drift found", String(driftFound))]
    }

    fileprivate var json: JSON {
        .object([
            ("baseline_at", .optional(baselineAt)), ("reason", .optional(reason)), ("compared", .optional(compared)),
            ("ended_at", .optional(endedAt)), ("ended_reason", .optional(endedReason)),
            ("ended_compared", .optional(endedCompared)), ("ended_found", .optional(endedFound)),
            ("drift_found", .int(driftFound)),
        ])
    }
}

extension FleetStatus.Pause {
    /// Why, and what ends it.
    var explanation: String {
        let reason = reason.map { ": \($0)" } ?? ""
        // A sentence of the reason's may end with its full stop.
        let head = { (what: String) in "paused " + what + (reason.hasSuffix(".") ? String(reason.dropLast()) : reason) }
        switch kind {
        case "account":
            return head("because SignalWire refuses the account") + "; mend it, and a probe or `resume` goes on"
        case "source":
            return head("because the users table can't be read as it is mapped") + "; it goes on by itself once it can"
        case "copied":
            return head("because this database is a copy of the one that was synced") + "; `resume` goes on"
        case "suspicious":
            return head("because it looks like the configuration")
                + "; mend it, then `resume`, and those users are pushed again"
        default: return head("by an operator") + "; `resume` goes on"
        }
    }

    var json: JSON {
        .object([
            ("kind", .string(kind)), ("reason", .optional(reason)), ("since", .optional(since)),
            ("next_probe", .optional(nextProbe)),
        ])
    }
}
