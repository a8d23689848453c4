import Migrations
import TestSupport
import Testing

@Suite("The commands of a program older than the schema") struct UpgradeCommandTests {
    @Test("work where it is one migration newer, but for migrate, and refuse where it is two")
    func rollsOver() async throws {
        try await Stage.run { stage in
            try await stage.run("INSERT INTO users (id, email) VALUES (1, 'ada@x')")
            #expect(try await stage.command("migrate").status == 0)
            _ = try await stage.command("resync", "--all", "--yes")
            try await stage.record(Migration.newest + 1)
            let run = try await stage.command("run", "--until-idle")
            #expect(run.status == 0, "\(run.err)")
            for command in [["status"], ["show", "1"], ["log"], ["pause"], ["resume"]] {
                let end = try await CommandRun.run(command, stage.environment)
                #expect(end.status == 0, "\(command): \(end.err)")
            }
            let migrate = try await stage.command("migrate")
            #expect(migrate.status == 78 && migrate.err.contains("newer than this program knows"))
            #expect(migrate.err.contains("the version of subscriber-sync that applied it (9.8)"))

            try await stage.record(Migration.newest + 2)
            for command in [["status"], ["show", "1"], ["log"], ["run", "--until-idle"], ["migrate"]] {
                let end = try await CommandRun.run(command, stage.environment)
                #expect(end.status == 78, "\(command): \(end.err)")
                #expect(end.err.contains("has version \(Migration.newest + 2)"), "\(command): \(end.err)")
            }
        }
    }
}

extension Stage {
    /// What a later program would have left in the ledger.
    fileprivate func record(_ version: Int) async throws {
        try await run(
            "INSERT INTO subscriber_sync.migration (version, name, checksum, applied_by) "
                + "VALUES (\(version), 'later', 'unknown', '9.8')")
    }
}
