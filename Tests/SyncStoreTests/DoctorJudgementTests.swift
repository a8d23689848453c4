import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("What doctor makes of what it is told") struct DoctorJudgementTests {
    static let well = ServerFacts(
        role: "agent", isSuperuser: false, isStandby: false, isReadOnly: false, clockAheadSeconds: 0.01,
        clockDoubtSeconds: 0.001, seesOthers: true, oldestTransactionSeconds: nil, oldestTransactionPID: nil,
        notificationQueueShare: 0, maxPreparedTransactions: 0)

    static func facts(_ change: (inout ServerFacts) -> Void) -> ServerFacts {
        var facts = well
        change(&facts)
        return facts
    }

    @Test(
        "a server's version is refused below 14, and remarked above 18",
        arguments: [(130_014, "fail"), (140_000, "ok"), (180_002, "ok"), (190_000, "warn")])
    func versions(version: Int, verdict: String) {
        let link = ServerLink(serverVersion: version, isPooled: false, isEncrypted: true, isLocal: false)
        #expect(link.versionCheck.verdict.rawValue == verdict)
    }

    @Test(
        "a connection that leaves the machine in the clear is remarked",
        arguments: [(true, true, "ok"), (true, false, "ok"), (false, true, "ok"), (false, false, "warn")])
    func encryption(isEncrypted: Bool, isLocal: Bool, verdict: String) {
        let link = ServerLink(serverVersion: 160_000, isPooled: false, isEncrypted: isEncrypted, isLocal: isLocal)
        #expect(link.encryptionCheck.verdict.rawValue == verdict)
    }

    @Test(
        "a pooler is remarked unless something else is listened to",
        arguments: [(false, false, "ok"), (true, true, "ok"), (true, false, "warn")])
    func pooler(isPooled: Bool, listensElsewhere: Bool, verdict: String) {
        let link = ServerLink(serverVersion: 160_000, isPooled: isPooled, isEncrypted: true, isLocal: false)
        let check = link.poolerCheck(listensElsewhere: listensElsewhere)
        #expect(check.verdict.rawValue == verdict)
        #expect((check.remedy?.contains("DATABASE_LISTEN_URL") ?? false) == (verdict == "warn"))
    }

    @Test("a standby and a read-only role fail, each with its remedy")
    func primary() {
        #expect(Self.well.primaryCheck.verdict == .ok)
        let standby = Self.facts { $0.isStandby = true }.primaryCheck
        #expect(standby.verdict == .fail && standby.remedy?.contains("target_session_attrs") == true)
        let readOnly = Self.facts { $0.isReadOnly = true }.primaryCheck
        #expect(readOnly.verdict == .fail)
        #expect(readOnly.remedy == "ALTER ROLE \"agent\" SET default_transaction_read_only = off;")
    }

    @Test("a superuser is remarked")
    func superuser() {
        #expect(Self.well.roleCheck.verdict == .ok)
        #expect(Self.facts { $0.isSuperuser = true }.roleCheck.verdict == .warn)
    }

    @Test(
        "the clocks may differ by what the question took, and two seconds",
        arguments: [
            (0.5, 0.0, "ok"), (-1.9, 0.0, "ok"), (2.5, 0.0, "warn"), (-59.0, 0.0, "warn"), (3600.0, 0.0, "fail"),
            (-3600.0, 0.0, "fail"), (4.0, 3.0, "ok"), (65.0, 10.0, "warn"),
        ])
    func clock(ahead: Double, doubt: Double, verdict: String) {
        let check = Self.facts {
            $0.clockAheadSeconds = ahead
            $0.clockDoubtSeconds = doubt
        }.clockCheck
        #expect(check.verdict.rawValue == verdict)
    }

    @Test("a clock that is off is said to be ahead or behind")
    func clockSide() {
        #expect(Self.facts { $0.clockAheadSeconds = 3600 }.clockCheck.finding.contains("60 min ahead of"))
        #expect(Self.facts { $0.clockAheadSeconds = -3600 }.clockCheck.finding.contains("60 min behind"))
    }

    @Test("a transaction of a quarter of an hour is remarked, with whose it is")
    func transactions() {
        #expect(Self.well.transactionCheck.verdict == .ok)
        #expect(Self.facts { $0.oldestTransactionSeconds = 899 }.transactionCheck.verdict == .ok)
        let old = Self.facts {
            $0.oldestTransactionSeconds = 7300
            $0.oldestTransactionPID = 77
        }.transactionCheck
        #expect(old.verdict == .warn && old.remedy == "SELECT pg_terminate_backend(77);")
        let prepared = Self.facts {
            $0.oldestTransactionSeconds = 7300
            $0.oldestTransactionPID = 0
        }.transactionCheck
        #expect(prepared.verdict == .warn && prepared.remedy?.contains("pg_prepared_xacts") == true)
    }

    @Test(
        "the queue of notifications is remarked at a quarter, and fails at three",
        arguments: [
            (0.0, "ok"), (0.24, "ok"), (0.25, "warn"), (0.75, "fail"), (1.0, "fail"),
        ])
    func queue(share: Double, verdict: String) {
        #expect(Self.facts { $0.notificationQueueShare = share }.notificationQueueCheck.verdict.rawValue == verdict)
    }

    @Test("prepared transactions are remarked only where notifications are wanted")
    func prepared() {
        let facts = Self.facts { $0.maxPreparedTransactions = 10 }
        #expect(facts.preparedTransactionsCheck(wantsNotifications: true).verdict == .warn)
        #expect(facts.preparedTransactionsCheck(wantsNotifications: false).verdict == .ok)
        #expect(Self.well.preparedTransactionsCheck(wantsNotifications: true).verdict == .ok)
    }

    @Test("missing rights become one GRANT for each object")
    func rights() {
        var facts = SchemaFacts(role: "it's me", exists: true, lacks: [])
        #expect(facts.rightsCheck.verdict == .ok)
        facts.lacks = [
            .init("USAGE", on: "SCHEMA", "subscriber_sync"), .init("SELECT", on: "TABLE", "subscriber_sync.log"),
            .init("INSERT", on: "TABLE", "subscriber_sync.log"),
        ]
        #expect(facts.rightsCheck.verdict == .fail)
        #expect(
            facts.rightsCheck.remedy
                == "GRANT USAGE ON SCHEMA subscriber_sync TO \"it's me\"; "
                + "GRANT SELECT, INSERT ON TABLE subscriber_sync.log TO \"it's me\";")
        facts.exists = false
        #expect(facts.rightsCheck.verdict == .skipped)
    }

    static let kept = UpkeepFacts(
        isAutovacuumOn: true, tables: [.init(name: "log", liveRows: 10, deadRows: 5)], logBytes: 1 << 20,
        abandonedLeases: 0, lockHolders: [])

    @Test("dead rows are remarked where they are many and most, and so is a server that vacuums nothing")
    func vacuum() {
        #expect(Self.kept.vacuumCheck.verdict == .ok)
        var facts = Self.kept
        facts.tables = [.init(name: "change", liveRows: 200_000, deadRows: 150_000)]
        #expect(facts.vacuumCheck.verdict == .ok)
        facts.tables = [.init(name: "change", liveRows: 10, deadRows: 150_000, vacuumedSecondsAgo: 7200)]
        #expect(facts.vacuumCheck.verdict == .warn && facts.vacuumCheck.remedy?.contains("\"change\"") == true)
        facts = Self.kept
        facts.isAutovacuumOn = false
        #expect(facts.vacuumCheck.verdict == .warn)
    }

    @Test("a log that nothing bounds is remarked, and one of more than 10 GiB")
    func log() {
        #expect(Self.kept.logCheck(isBounded: true).verdict == .ok)
        #expect(Self.kept.logCheck(isBounded: false).verdict == .warn)
        var facts = Self.kept
        facts.logBytes = 11 << 30
        #expect(facts.logCheck(isBounded: true).verdict == .warn)
    }

    @Test("leases and locks that were left behind are remarked")
    func leases() {
        #expect(Self.kept.leasesCheck.verdict == .ok)
        var facts = Self.kept
        facts.abandonedLeases = 3
        #expect(facts.leasesCheck.verdict == .warn && facts.leasesCheck.remedy == "subscriber-sync run")
        facts.lockHolders = [8, 9]
        #expect(facts.leasesCheck.remedy?.contains("(8, 9)") == true)
    }

    @Test("counts that aren't the table's are remarked")
    func counts() {
        #expect(Self.kept.countsCheck.verdict == .ok)
        var facts = Self.kept
        facts.miscounted = ["held", "synced"]
        #expect(facts.countsCheck.verdict == .warn && facts.countsCheck.remedy == "subscriber-sync migrate")
    }

    @Test("a notification that was heard is well, and one that was not wanted as well")
    func notify() {
        #expect(NotificationTrip.End.heard(.milliseconds(3)).check(isWanted: true).verdict == .ok)
        #expect(NotificationTrip.End.silent.check(isWanted: false).verdict == .ok)
        #expect(NotificationTrip.End.silent.check(isWanted: true).verdict == .warn)
        #expect(NotificationTrip.End.pooled.check(isWanted: true).verdict == .warn)
        #expect(NotificationTrip.End.unreachable("No way.", hint: nil).check(isWanted: true).verdict == .fail)
    }

    @Test("every statement of doctor is understood by PostgreSQL on the migrated schema, and each answers")
    func statements() async throws {
        try await Fixture.run { fixture in
            let session = fixture.session
            let server = try await ServerFacts.read(in: session) { 0 }
            #expect(server.clockAheadSeconds > 1_700_000_000 && server.isSuperuser && !server.isStandby)
            let source = try await SourceFacts.read(fixture.mapping, in: session)
            #expect(
                [
                    source.tableCheck, source.columnsCheck, source.keyCheck, source.rowSecurityCheck,
                    source.beforeTriggersCheck,
                ]
                .allSatisfy { $0.verdict == .ok })
            #expect(try await SchemaFacts.read(in: session).rightsCheck.verdict == .ok)
            let upkeep = try await UpkeepFacts.read(in: session)
            #expect(
                upkeep.leasesCheck.verdict == .ok && upkeep.logBytes > 0 && upkeep.tables.contains { $0.name == "log" })
            let trip = NotificationTrip(from: session, to: session.settings)
            let store = try await fixture.store()
            #expect(try await store.estimatedUsers() == 0)
            try await fixture.run("INSERT INTO users (email) SELECT 'u' FROM generate_series(1, 50); ANALYZE users")
            #expect(try await store.estimatedUsers() == 50)
            await store.close()
            guard case .heard = try await trip.run() else {
                Issue.record("nothing was heard")
                return
            }
        }
    }

    @Test("a lease of an agent that is gone, and a lock that stays, are found in the real tables")
    func findsLeftovers() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                "INSERT INTO subscriber_sync.subscriber (user_key, lease, due_at) VALUES "
                    + "('1', 5, now() - interval '1 hour'), ('2', 6, now())")
            #expect(try await UpkeepFacts.read(in: fixture.session).abandonedLeases == 1)
            try await whileOpen(fixture.database.dsn, "SELECT pg_advisory_xact_lock(1937072755, 2)") {
                // It has not been held for a minute yet.
                #expect(try await UpkeepFacts.read(in: fixture.session).lockHolders.isEmpty)
                let old = try await ServerFacts.read(in: fixture.session) { 0 }
                #expect(old.oldestTransactionSeconds != nil && (old.oldestTransactionPID ?? 0) > 0)
            }
        }
    }
}
