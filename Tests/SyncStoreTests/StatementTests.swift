import Migrations
import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("Every statement") struct StatementTests {
    /// All there are: name and text.
    static func all(_ source: SourceTable) -> [(String, String)] {
        let fixed = [
            (Store.settle.name, Store.settle.text), (Store.admit.name, Store.admit.text),
            (Store.releaseHeld.name, Store.releaseHeld.text), (Store.throttle.name, Store.throttle.text),
            (Store.pauseForAccount.name, Store.pauseForAccount.text), (Store.resume.name, Store.resume.text),
            (FleetControl.pause.name, FleetControl.pause.text), (Store.failed.name, Store.failed.text),
            (Store.clock.name, Store.clock.text), (Store.progress.name, Store.progress.text),
            (Store.announceResync.name, Store.announceResync.text), (Store.heartbeat.name, Store.heartbeat.text),
            (Store.leave.name, Store.leave.text), (Store.countAgents.name, Store.countAgents.text),
            (Store.pruneAgents.name, Store.pruneAgents.text),
            (Store.pruneLog.name, Store.pruneLog.text), (FleetStatus.statement.name, FleetStatus.statement.text),
            (Store.row.name, Store.row.text), (SyncLog.newest.name, SyncLog.newest.text),
            (SyncLog.following.name, SyncLog.following.text), (Migrator.lock.name, Migrator.lock.text),
            (Migrator.hasLedger.name, Migrator.hasLedger.text), (Migrator.readLedger.name, Migrator.readLedger.text),
            (Migrator.newestApplied.name, Migrator.newestApplied.text),
            (SourceInspection.findRelation.name, SourceInspection.findRelation.text),
            (SourceInspection.findColumns.name, SourceInspection.findColumns.text),
            (SourceInspection.isUnique.name, SourceInspection.isUnique.text),
            (CaptureCatalogue.found.name, CaptureCatalogue.found.text),
            (CaptureCatalogue.hasStored.name, CaptureCatalogue.hasStored.text),
            (CaptureCatalogue.stored.name, CaptureCatalogue.stored.text),
            (CaptureCatalogue.columnTypes.name, CaptureCatalogue.columnTypes.text),
            (CaptureCatalogue.isIndexed.name, CaptureCatalogue.isIndexed.text),
            (CaptureCatalogue.functionBody.name, CaptureCatalogue.functionBody.text),
            (CaptureCatalogue.family.name, CaptureCatalogue.family.text),
            (CaptureCatalogue.ownersWithoutWatch.name, CaptureCatalogue.ownersWithoutWatch.text),
            (Store.captureFindings.name, Store.captureFindings.text),
            (Store.allowsPreparedTransactions.name, Store.allowsPreparedTransactions.text),
            (Uninstaller.hasSchema.name, Uninstaller.hasSchema.text),
            (Uninstaller.dependents.name, Uninstaller.dependents.text), (Store.fold.name, Store.fold.text),
            (Store.replaceNamelessChanges.name, Store.replaceNamelessChanges.text),
            (Store.pauseForSource.name, Store.pauseForSource.text),
            (Store.pruneLogRows.name, Store.pruneLogRows.text),
            (Store.sweepState.name, Store.sweepState.text), (Store.beginFullSweep.name, Store.beginFullSweep.text),
            (Store.beginRecentSweep.name, Store.beginRecentSweep.text),
            (Store.recentBounds.name, Store.recentBounds.text), (Store.advanceSweep.name, Store.advanceSweep.text),
            (Store.endSweep.name, Store.endSweep.text), (Store.requestSweep.name, Store.requestSweep.text),
            (Store.seesTransactions.name, Store.seesTransactions.text),
            (Store.isSweepAsked.name, Store.isSweepAsked.text),
            (Tally.miscounted.name, Tally.miscounted.text), (Tally.recount.name, Tally.recount.text),
            (Store.countChanges.name, Store.countChanges.text), (Store.brake.name, Store.brake.text),
            (Store.pauseForSuspicion.name, Store.pauseForSuspicion.text),
            (FleetControl.approve.name, FleetControl.approve.text),
            (FleetControl.reject.name, FleetControl.reject.text),
            (Store.checkIdentity.name, Store.checkIdentity.text),
            (KeyType.findType.name, KeyType.findType.text),
            (Store.referenceHoldings.name, Store.referenceHoldings.text),
            (Store.standstill.name, Store.standstill.text),
            (Store.announceMapping.name, Store.announceMapping.text),
            (Store.isMappingUsed.name, Store.isMappingUsed.text), (Store.logMapping.name, Store.logMapping.text),
            (FleetControl.acceptMapping.name, FleetControl.acceptMapping.text),
            (MappingChange.differences.name, MappingChange.differences.text),
            (MappingChange.strays.name, MappingChange.strays.text),
            (FleetStatus.massChange.name, FleetStatus.massChange.text),
            (Store.lockAdmission.name, Store.lockAdmission.text), (Store.adopt.name, Store.adopt.text),
            (Store.markDrift.name, Store.markDrift.text), (Store.markMissing.name, Store.markMissing.text),
            (Store.figuresBeside.name, Store.figuresBeside.text),
            (Store.attention.name, Store.attention.text), (Store.livingAgents.name, Store.livingAgents.text),
            (Store.pruneMessages.name, Store.pruneMessages.text),
            (Store.formerPairs.name, Store.formerPairs.text),
            (Store.acceptReferences.name, Store.acceptReferences.text),
            (Store.lockForgotten.name, Store.lockForgotten.text),
        ]
        return fixed + mapped(source).enumerated().map { ("mapped_\($0)", $1) }
    }

    /// Those whose text depends on the mapping.
    private static func mapped(_ source: SourceTable) -> [String] {
        let decoder = ClaimDecoder(source.mapping)
        let statements =
            [
                ClaimSQL.statement(for: source, decoder: decoder).text, LookSQL.one(source, decoder).text,
                LookSQL.page(source, decoder, filter: nil).text,
                LookSQL.page(source, decoder, filter: "id % 2 = 0").text, ResyncSQL.users(source).text,
                SweepSQL.sourcePage(source).text, SweepSQL.knownPage(source).text,
                SweepSQL.recentPage(source, updatedAt: "deleted_at").text, LookSQL.canonicalKey(source).text,
                ControlSQL.resumeAfterFit(source).text, RemotePageSQL.page(source).text, InletSQL.mark(source).text,
                ForgetSQL.statement(for: source).text, AuditSQL.duplicates(source).text, AuditSQL.missing(source).text,
            ] + [TimeZoneSQL.counts(source)?.text].compactMap(\.self)
        return statements
    }

    @Test("is understood by PostgreSQL on the migrated schema")
    func prepares() async throws {
        try await Fixture.run { fixture in
            let store = try await fixture.store()
            try await withSession(fixture.database.dsn) { session in
                for (name, text) in Self.all(store.source) {
                    try await session.executeScript("PREPARE \(name) AS \(text)", name: name)
                }
            }
            await store.close()
        }
    }

    @Test("that agents repeat finds its rows by index among 200,000 users")
    func usesIndexes() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                ALTER TABLE users DISABLE TRIGGER USER;
                INSERT INTO users (email, first_name) SELECT 'u' || i || '@x', 'F' FROM generate_series(1, 200000) i;
                ALTER TABLE users ENABLE TRIGGER USER;
                INSERT INTO subscriber_sync.subscriber (user_key, reference, standing, admitted_at, subscriber_id, priority, due_at)
                    SELECT id::text, email, 'synced', now() - interval '2 days', gen_random_uuid(), id % 2,
                        CASE WHEN id % 1000 = 0 THEN now() END FROM users;
                UPDATE users SET title = 'x' WHERE id <= 500;
                ANALYZE
                """)
            let store = try await fixture.store()
            let claim = ClaimSQL.statement(for: store.source, decoder: ClaimDecoder(columns: [])).text
            let hot = [
                ("claim", claim, #"(100, 2000, 60000, '{}', '-infinity', '(0,0)')"#),
                ("settle", Store.settle.text, Self.settleArguments),
                ("admit_duplicates", Self.duplicates, "('u77@x')"),
                ("look", LookSQL.one(store.source, ClaimDecoder(columns: [])).text, "('7')"),
                ("page", LookSQL.page(store.source, ClaimDecoder(columns: []), filter: nil).text, "('7', 2000)"),
                ("sweep_source", SweepSQL.sourcePage(store.source).text, "('7', 1000, false)"),
                ("sweep_known", SweepSQL.knownPage(store.source).text, "('7', 1000)"),
                ("canonical_key", LookSQL.canonicalKey(store.source).text, "('07')"),
                ("holdings", Store.referenceHoldings.text, Self.twoThousandReferences),
                ("trial", ControlSQL.resumeAfterFit(store.source).text, "('me')"),
                ("compared", RemotePageSQL.page(store.source).text, "('7', 2000, 'now')"),
                ("adopt", Store.adopt.text, Self.adoptArguments),
                ("drift", Store.markDrift.text, Self.driftArguments),
                ("mark", InletSQL.mark(store.source).text, "('m', '{7}')"),
                ("forget", ForgetSQL.statement(for: store.source).text, "('7', 'me')"),
                ("show", Store.row.text, "('7')"), ("release", Store.releaseHeld.text, "(1000)"),
                ("brake", Store.countChanges.text, "(600000, NULL, 200, 7)"),
                ("status", FleetStatus.statement.text, ""),
            ]
            try await withSession(fixture.database.dsn) { session in
                for (name, text, arguments) in hot {
                    try await session.executeScript("PREPARE \(name) AS \(text)", name: name)
                    let plan = try await session.query(
                        Statement<String>("explain", "EXPLAIN (COSTS OFF) EXECUTE \(name)\(arguments)") {
                            row throws(PostgresError) in try row.text(0)
                        })
                    let scans = plan.filter {
                        $0.contains("Seq Scan on subscriber") || $0.contains("Seq Scan on users")
                    }
                    #expect(scans.isEmpty, "\(name): \(plan.joined(separator: "\n"))")
                    #expect(plan.contains { $0.contains("Index") }, "\(name)")
                    guard name == "brake" else { continue }
                    #expect(plan.contains { $0.contains("subscriber_changed") }, "\(plan.joined(separator: "\n"))")
                }
            }
            await store.close()
        }
    }

    /// What `admit` asks for each reference.
    static let duplicates = """
        SELECT FROM subscriber_sync.subscriber other
        WHERE lower(btrim(other.reference)) = lower(btrim($1::text)) AND other.admitted_at IS NOT NULL
        """

    static let twoThousandReferences: String = {
        let numbers = (1...2000).map(String.init)
        return "('{\(numbers.joined(separator: ","))}', '{\(numbers.map { "u\($0)@x" }.joined(separator: ","))}')"
    }()

    static let adoptArguments: String = {
        let list = (1...100).map(String.init).joined(separator: ",")
        let truths = Array(repeating: "t", count: 100).joined(separator: ",")
        return "('{\(list)}', '{\(list)}', '{\(list)}', '{\(list)}', '{\(list)}', '{\(truths)}', '{\(list)}', 'me')"
    }()

    static let driftArguments: String = {
        let list = (1...100).map(String.init).joined(separator: ",")
        return "('{\(list)}', '{\(list)}', '{\(list)}', '{\(list)}', 'me')"
    }()

    static let settleArguments: String = {
        let list = (1...100).map(String.init).joined(separator: ",")
        let (keys, numbers) = ("'{\(list)}'", "'{\(list)}'")
        return "(\(keys), \(numbers), \(numbers), \(keys), \(numbers), \(keys), \(keys), \(keys), \(keys), \(keys), "
            + "\(numbers), \(keys), \(keys), \(keys), \(numbers), \(keys), 60000, 'me', "
            + "\(keys))"
    }()

    @Test("is listed with the migrations that stand in their folder")
    func listsMigrations() {
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }
}
