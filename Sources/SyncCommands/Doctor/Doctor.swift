import Postgres
import SignalWire
import SyncCore
import SyncStore

/// Everything that `doctor` looks at. To add something, add a line to one of the lists.
struct Doctor: Sendable {
    let context: CommandContext
    let session: Session
    /// This machine's clock in unix seconds.
    var unixSeconds: @Sendable () -> Double = { WallClock.unixSeconds }

    var examinations: [Examination] { server + users + schema + people + upkeep + signalWire }

    /// The way to PostgreSQL, and how the server is.
    private var server: [Examination] {
        [
            Examination("database", and: ["version", "tls", "pooler"]) { [self] in
                let link = try await session.link()
                let listensElsewhere = context.settings.database.listenURL != nil
                return [
                    .ok("database", "Connected to \(session.settings.target)."), link.versionCheck,
                    link.encryptionCheck, link.poolerCheck(listensElsewhere: listensElsewhere || !context.isListening),
                ]
            },
            Examination(
                "primary", and: ["role", "clock", "transactions", "notification_queue", "prepared_transactions"],
                needs: ["database"]
            ) { [self] in
                let facts = try await ServerFacts.read(in: session, unixSeconds: unixSeconds)
                return [
                    facts.primaryCheck, facts.roleCheck, facts.clockCheck, facts.transactionCheck,
                    facts.notificationQueueCheck,
                    facts.preparedTransactionsCheck(wantsNotifications: context.wantsNotifications),
                ]
            },
            Examination(one: "notify", needs: ["database"]) { [self] in
                guard context.isListening else { return NotificationTrip.End.silent.check(isWanted: false) }
                return try await NotificationTrip(from: session, to: context.listening()).run().check(isWanted: true)
            },
        ]
    }

    /// The users table and the mapping.
    private var users: [Examination] {
        [
            Examination(
                "table", and: ["columns", "key", "row_security", "before_triggers"], needs: ["database"]
            ) { [self] in
                let facts = try await SourceFacts.read(context.mapping(), in: session)
                return [
                    facts.tableCheck, facts.columnsCheck, facts.keyCheck, facts.rowSecurityCheck,
                    facts.beforeTriggersCheck,
                ]
            },
            Examination(one: "mapping", needs: ["table", "columns", "key", "row_security"]) { [self] in
                _ = try await context.source(in: session)
                return .ok("mapping", "The condition, the expressions and the related tables fit the table.")
            },
            Examination(one: "region") { [self] in MappingChecks.region(context.fieldSources) },
        ]
    }

    /// What `migrate` makes.
    private var schema: [Examination] {
        [
            Examination(one: "schema", needs: ["database"]) { [self] in
                let migrator = Migrator(session: session)
                try await migrator.checkSchema()
                return .ok(
                    "schema", "The schema subscriber_sync is there, and version \(migrator.newest) works with it.")
            },
            Examination(one: "rights", needs: ["database"]) { [self] in
                try await SchemaFacts.read(in: session).rightsCheck
            },
            Examination(one: "triggers", needs: ["schema", "mapping"]) { [self] in
                guard context.settings.capture.mode == .listen else {
                    return .ok("triggers", "None is needed, because capture.mode is poll.")
                }
                return try await context.store(session, agent: "doctor").captureHealth().check
            },
            Examination(one: "capture", needs: ["triggers"]) { [self] in
                let source = try await context.source(in: session)
                return try await context.captureWork(for: source, in: session).check
            },
        ]
    }

    /// Who is who, over the whole table.
    private var people: [Examination] {
        [
            Examination("duplicates", and: ["references"], needs: ["schema", "mapping"]) { [self] in
                let store = try await context.store(session, agent: "doctor")
                return [try await store.duplicateReferences().check, try await store.missingReferences().check]
            },
            Examination(one: "time_zones", needs: ["schema", "mapping"]) { [self] in
                let store = try await context.store(session, agent: "doctor")
                guard let census = try await store.timeZones() else {
                    return .ok("time_zones", "No column is mapped to time_zone.")
                }
                return census.check(context.settings.values.invalidTimeZone)
            },
        ]
    }

    /// What is going on, and what gathers.
    private var upkeep: [Examination] {
        [
            Examination("agents", and: ["pause"], needs: ["schema"]) { [self] in
                let status = try await FleetStatus.read(in: session)
                return [status.agentsCheck, status.pauseCheck]
            },
            Examination("vacuum", and: ["leases", "log", "counts"], needs: ["schema"]) { [self] in
                let facts = try await UpkeepFacts.read(in: session)
                let log = context.settings.log
                return [
                    facts.vacuumCheck, facts.leasesCheck,
                    facts.logCheck(isBounded: log.retention != nil || log.maxRows != nil),
                    facts.countsCheck,
                ]
            },
        ]
    }

    /// The way to SignalWire, by a read that changes nothing.
    private var signalWire: [Examination] {
        [
            Examination("signalwire", and: ["signalwire_tls", "signalwire_account", "signalwire_clock"]) { [self] in
                let settings = try context.signalWire()
                let client = SubscriberClient(settings: settings)
                let now = unixSeconds()
                let answer = try await client.probe()
                await client.shutdown()
                return SignalWireFindings(
                    answer: answer, space: settings.space, tokenTTL: settings.tokenTTL, unixSeconds: now
                ).checks
            }
        ]
    }
}
