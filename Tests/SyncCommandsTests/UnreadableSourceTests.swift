import Postgres
import SignalWireSandbox
import TestSupport
import Testing

@Suite("The commands, where the users table can't be read as it is mapped,") struct UnreadableSourceTests {
    @Test("end with 75 where the condition fails for a row, and say why")
    func unreadable() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            try await stage.run("INSERT INTO users (id, email) VALUES (5, 'b@x')")
            let failing = ["SOURCE_WHERE": "1/(id-5) > -9"]
            let first = try await stage.command("run", "--until-idle", changing: failing)
            #expect(first.status == 75 && first.err.contains("division by zero"), "\(first.err)")
            let second = try await stage.command("run", "--until-idle", changing: failing)
            #expect(second.status == 75 && second.err.contains("pushing is paused"), "\(second.err)")
            let status = try await stage.command("status")
            #expect(status.status == 75 && status.out.contains("source_changed: Users of public.users can't be read"))
            #expect(try await stage.value("SELECT count(*) FROM subscriber_sync.log WHERE outcome = 'paused'") == "1")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            #expect(try await stage.hasSynced(1))
        }
    }
}
