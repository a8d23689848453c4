import ArgumentParser
import Foundation
import Postgres
import SignalWireSandbox
import SyncCore
import SyncStore
import TestSupport
import Testing

@testable import SyncCommands

/// Ten installations that are broken, each in its own way, and one remedy each.
@Suite("doctor names the cause and the remedy") struct BrokenInstallationTests {
    static func migrated(
        table: String = Fixture.usersTable, _ body: @Sendable (Stage) async throws -> Void
    ) async throws {
        try await Stage.run(table: table) { stage in
            #expect(try await stage.command("migrate").status == 0)
            try await body(stage)
        }
    }

    /// Runs the remedy that was printed, and expects the check to be well.
    static func expectMended(_ stage: Stage, _ report: DoctorTests.Report, _ name: String) async throws {
        try await stage.run(report[name]?.remedy ?? "no remedy")
        let after = try await stage.command("doctor", "--format", "json")
        let mended = try JSONDecoder().decode(DoctorTests.Report.self, from: Data(after.out.utf8))
        #expect(mended[name]?.verdict == "ok", "\(mended[name]?.all ?? "")")
    }

    @Test("where a trigger is gone")
    func missingTrigger() async throws {
        try await Self.migrated { stage in
            try await stage.run("DROP TRIGGER subscriber_sync_update ON users")
            let report = try await DoctorTests.report(stage, exit: 2)
            DoctorTests.expect(report, "triggers", "fail", "has lost the trigger subscriber_sync_update")
            DoctorTests.expect(report, "capture", "skipped")
            try await Self.expectMended(stage, report, "triggers")
        }
    }

    @Test("where a trigger is switched off")
    func disabledTrigger() async throws {
        try await Self.migrated { stage in
            try await stage.run("ALTER TABLE users DISABLE TRIGGER subscriber_sync_insert")
            let report = try await DoctorTests.report(stage, exit: 2)
            DoctorTests.expect(report, "triggers", "fail", "subscriber_sync_insert", "switched off")
            try await Self.expectMended(stage, report, "triggers")
        }
    }

    @Test("where the triggers are those of other settings")
    func drift() async throws {
        try await Self.migrated { stage in
            let report = try await DoctorTests.report(stage, exit: 1, changing: ["CAPTURE_COMPARE": "row"])
            DoctorTests.expect(
                report, "capture", "warn", "not those that the settings ask for", "subscriber-sync migrate")
            _ = try await stage.command("migrate", changing: ["CAPTURE_COMPARE": "row"])
            let after = try await DoctorTests.report(stage, exit: 1, changing: ["CAPTURE_COMPARE": "row"])
            DoctorTests.expect(after, "capture", "ok")
        }
    }

    @Test("where a mapped column was dropped")
    func droppedColumn() async throws {
        try await Self.migrated { stage in
            try await stage.run("SELECT subscriber_sync.unwatch(); ALTER TABLE users DROP COLUMN title")
            let report = try await DoctorTests.report(stage, exit: 2)
            DoctorTests.expect(report, "columns", "fail", "has no column title", "Its columns: id, email")
            DoctorTests.expect(report, "mapping", "skipped")
            DoctorTests.expect(report, "triggers", "skipped")
        }
    }

    @Test("where the role may not read a mapped column, or write our tables")
    func missingGrants() async throws {
        try await Self.migrated { stage in
            try await DoctorTests.withRole(stage) { role in
                try await stage.run(
                    "REVOKE SELECT ON users FROM \(role); GRANT SELECT (id, email, first_name, time_zone, deleted_at) "
                        + "ON users TO \(role); REVOKE DELETE ON subscriber_sync.change FROM \(role)")
                let settings = DoctorTests.asRole(role, stage)
                let report = try await DoctorTests.report(stage, exit: 2, changing: settings)
                DoctorTests.expect(report, "columns", "fail", "may not read title", "GRANT SELECT (\"title\")", role)
                DoctorTests.expect(report, "rights", "fail", "DELETE on subscriber_sync.change", role)
                for name in ["columns", "rights"] { try await stage.run(report[name]?.remedy ?? "no remedy") }
                let after = try await DoctorTests.report(stage, exit: 1, changing: settings)
                DoctorTests.expect(after, "columns", "ok")
                DoctorTests.expect(after, "rights", "ok")
            }
        }
    }

    @Test("where a policy hides rows from the role")
    func rowSecurity() async throws {
        try await Self.migrated { stage in
            try await DoctorTests.withRole(stage) { role in
                try await stage.run(
                    "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON users USING (id < 10)")
                let report = try await DoctorTests.report(stage, exit: 2, changing: DoctorTests.asRole(role, stage))
                DoctorTests.expect(report, "row_security", "fail", "would hide rows", "ALTER ROLE", "BYPASSRLS")
                try await stage.run(report["row_security"]?.remedy ?? "no remedy")
                let after = try await DoctorTests.report(stage, exit: 1, changing: DoctorTests.asRole(role, stage))
                DoctorTests.expect(after, "row_security", "ok")
            }
        }
    }

    @Test("where the key is not unique any more")
    func ambiguousKey() async throws {
        try await Self.migrated { stage in
            try await stage.run("ALTER TABLE users DROP CONSTRAINT users_pkey")
            let report = try await DoctorTests.report(stage, exit: 2)
            DoctorTests.expect(report, "key", "fail", "not unique", "CREATE UNIQUE INDEX CONCURRENTLY")
            try await Self.expectMended(stage, report, "key")
        }
    }

    @Test("where a pooler keeps notifications back", .inFrontOfOwnServer)
    func pooler() async throws {
        try await Self.migrated { stage in
            try await withPgBouncer(inFrontOf: .shared()) { bouncer in
                let pooled = ["DATABASE_URL": bouncer.dsn(of: stage.database)]
                let report = try await DoctorTests.report(stage, exit: 1, changing: pooled)
                DoctorTests.expect(report, "pooler", "warn", "DATABASE_LISTEN_URL=")
                DoctorTests.expect(report, "notify", "warn", "through a pooler", "DATABASE_LISTEN_URL=")
                let direct = pooled.merging(["DATABASE_LISTEN_URL": stage.database.dsn]) { $1 }
                let after = try await DoctorTests.report(stage, exit: 1, changing: direct)
                DoctorTests.expect(after, "pooler", "ok")
                DoctorTests.expect(after, "notify", "ok")
            }
        }
    }

    @Test("where a clock is off by an hour")
    func wrongClock() async throws {
        try await Self.migrated { stage in
            let context = try CommandContext(
                SettingsOptions.parse([]), loader: SettingsFixture(environment: stage.environment).loader)
            let session = try context.session()
            let slow = Doctor(context: context, session: session) { WallClock.unixSeconds - 3600 }
            let checks = await Examining().checks(of: slow.examinations)
            await session.close()
            for (name, words) in [("clock", "60 min ahead of"), ("signalwire_clock", "min behind SignalWire's")] {
                let check = checks.first { $0.name == name }
                #expect(
                    check?.verdict == .fail && check?.finding.contains(words) == true, "\(String(describing: check))")
                #expect(check?.hint?.contains("NTP") == true && check?.remedy?.contains("set-ntp") == true)
            }
        }
    }

    @Test("where pushing is paused, and nobody runs")
    func paused() async throws {
        try await Self.migrated { stage in
            _ = try await stage.command("pause", "--reason", "maintenance")
            let report = try await DoctorTests.report(stage, exit: 1)
            DoctorTests.expect(report, "pause", "warn", "maintenance", "subscriber-sync resume")
            DoctorTests.expect(report, "agents", "warn", "No agent is running", "subscriber-sync run")
        }
    }

    @Test("where the schema is older than the program")
    func olderSchema() async throws {
        try await Self.migrated { stage in
            try await stage.run(
                "DELETE FROM subscriber_sync.migration WHERE version = (SELECT max(version) FROM subscriber_sync.migration)"
            )
            let report = try await DoctorTests.report(stage, exit: 2)
            DoctorTests.expect(report, "schema", "fail", "and this program needs", "subscriber-sync migrate")
        }
    }

    @Test("where the server doesn't answer, within a bounded time")
    func hangs() async throws {
        let stuck = Examination(one: "stuck") {
            try await Task.sleep(for: .seconds(3600))
            return .ok("stuck", "never")
        }
        let next = Examination(one: "next", needs: ["stuck"]) { .ok("next", "never") }
        let checks = await Examining(patience: .milliseconds(50)).checks(of: [stuck, next])
        #expect(checks.map(\.verdict) == [.fail, .skipped])
    }
}
