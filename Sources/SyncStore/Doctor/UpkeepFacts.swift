import Postgres
import SyncCore

/// What gathers in our tables if nobody clears it away, read for `doctor`.
public struct UpkeepFacts: Sendable, Hashable {
    /// How much of one table is dead.
    public struct Table: Sendable, Hashable {
        public var name: String
        public var liveRows: Int
        public var deadRows: Int
        /// `nil`: never, as far as the statistics go back.
        public var vacuumedSecondsAgo: Double?

        public init(name: String, liveRows: Int, deadRows: Int, vacuumedSecondsAgo: Double? = nil) {
            self.name = name
            self.liveRows = liveRows
            self.deadRows = deadRows
            self.vacuumedSecondsAgo = vacuumedSecondsAgo
        }
    }

    public var isAutovacuumOn: Bool
    public var tables: [Table]
    public var logBytes: Int
    /// Claims whose lease ended more than five minutes ago, counted up to 10,000.
    public var abandonedLeases: Int
    /// Processes that have held one of our advisory locks for more than a minute.
    public var lockHolders: [Int]
    /// The statuses of which `status` tells another count than the table has.
    public var miscounted: [String] = []

    public static func read(in session: Session) async throws(StoreError) -> UpkeepFacts {
        do {
            guard var facts = try await session.query(statement).first else {
                throw StoreError(.database, "The statistics told nothing.")
            }
            facts.tables = try await session.query(tableStatement)
            facts.miscounted = try await session.query(Tally.miscounted)
            return facts
        } catch let error as StoreError {
            throw error
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw StoreError(.database, "The statistics could not be read.")
        }
    }

    /// The number is the first of each of our advisory locks: for NOTIFY, admissions and migrations.
    static let statement = Statement<UpkeepFacts>(
        "upkeep",
        """
        SELECT current_setting('autovacuum') = 'on',
            (SELECT coalesce(sum(pg_total_relation_size(part.id)), 0)::bigint FROM (
                SELECT 'subscriber_sync.log'::regclass::oid AS id
                UNION
                SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = 'subscriber_sync.log'::regclass
            ) AS part),
            (SELECT count(*) FROM (
                SELECT FROM subscriber_sync.subscriber s
                WHERE s.lease IS NOT NULL AND s.due_at < now() - interval '5 minutes' LIMIT 10000) AS abandoned),
            ARRAY(SELECT DISTINCT l.pid::bigint FROM pg_catalog.pg_locks l
                JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'advisory' AND l.classid = 1937072755 AND l.granted
                    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
                    AND a.xact_start < clock_timestamp() - interval '1 minute' ORDER BY 1)
        """
    ) { row throws(PostgresError) in
        UpkeepFacts(
            isAutovacuumOn: try row.boolean(0), tables: [], logBytes: try row.integer(1),
            abandonedLeases: try row.integer(2), lockHolders: try row.bigintArray(3).compactMap { $0.map { Int($0) } })
    }

    static let tableStatement = Statement<Table>(
        "upkeep_tables",
        """
        SELECT s.relname, s.n_live_tup, s.n_dead_tup, extract(epoch FROM clock_timestamp()
            - greatest(s.last_autovacuum, s.last_vacuum))::double precision
        FROM pg_catalog.pg_stat_all_tables s WHERE s.schemaname = 'subscriber_sync' ORDER BY s.n_dead_tup DESC, s.relname
        """
    ) { row throws(PostgresError) in
        Table(
            name: try row.text(0), liveRows: try row.integer(1), deadRows: try row.integer(2),
            vacuumedSecondsAgo: try row.optionalDouble(3))
    }
}

extension UpkeepFacts {
    /// Dead rows make a claim read more than it takes.
    public var vacuumCheck: Check {
        guard isAutovacuumOn else {
            return .warn(
                "vacuum", "Autovacuum is off on this server, so our tables grow without end.",
                hint: "Turn it on.", remedy: "ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();")
        }
        let bloated = tables.filter { $0.deadRows > Self.mostDeadRows && $0.deadRows > $0.liveRows }
        guard let worst = bloated.first else { return .ok("vacuum", "None of our tables is mostly dead rows.") }
        let last = worst.vacuumedSecondsAgo.map { "last vacuumed \(ServerFacts.spoken($0)) ago" } ?? "never vacuumed"
        return .warn(
            "vacuum",
            "subscriber_sync.\(worst.name) has \(worst.deadRows) dead rows beside \(worst.liveRows), \(last).",
            hint: "An old transaction, a replication slot or a replica keeps them, or autovacuum has no time for them.",
            remedy: "VACUUM (VERBOSE) subscriber_sync.\(quoteIdentifier(worst.name));")
    }

    /// - Parameter isBounded: whether the settings bound its age or its rows.
    public func logCheck(isBounded: Bool) -> Check {
        let size = "The log table takes \(logBytes / 1_048_576) MiB."
        if !isBounded {
            return .warn(
                "log", "\(size) Nothing bounds it.", hint: "Let it forget what is old.", remedy: "log.retention: 30d")
        }
        guard logBytes > Self.mostLogBytes else { return .ok("log", size) }
        return .warn(
            "log", size, hint: "Keep fewer rows, if the disk is not meant for it.", remedy: "log.max_rows: 1000000")
    }

    /// Claims of agents that are gone are taken over by the others when their lease ends, unless there is nobody.
    public var leasesCheck: Check {
        guard lockHolders.isEmpty else {
            let pids = lockHolders.map(String.init).joined(separator: ", ")
            return .warn(
                "leases", "A lock of ours has been held for more than a minute, by process \(pids).",
                hint:
                    "It is a transaction that changed a user, or a migration; meanwhile changes are found by polling.",
                remedy: "SELECT pid, state, xact_start FROM pg_stat_activity WHERE pid IN (\(pids));")
        }
        guard abandonedLeases > 0 else { return .ok("leases", "No lease and no lock was left behind.") }
        return .warn(
            "leases", "\(abandonedLeases) users are in the hands of an agent that is gone.",
            hint: "Any running agent takes them over at once.", remedy: "subscriber-sync run")
    }

    /// What `status` and the metrics count by.
    public var countsCheck: Check {
        guard !miscounted.isEmpty else { return .ok("counts", "The counts by status are what the table says.") }
        return .warn(
            "counts", "The counts of \(miscounted.joined(separator: ", ")) are not what the table says.",
            hint: "Users were written past the triggers of subscriber_sync.subscriber. `migrate` counts them anew.",
            remedy: "subscriber-sync migrate")
    }

    static let mostDeadRows = 100_000
    static let mostLogBytes = 10 * 1_073_741_824
}
