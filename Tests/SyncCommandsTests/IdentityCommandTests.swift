import Postgres
import SignalWireSandbox
import TestSupport
import Testing

@Suite("The commands about who is who") struct IdentityCommandTests {
    /// One user is synced as `a@x`.
    static func run(_ body: @Sendable (Stage) async throws -> Void) async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            try await stage.run("INSERT INTO users (id, email, title) VALUES (1, 'a@x', 'Eng')")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            try await body(stage)
        }
    }

    @Test("explain a changed reference, take it for one user, and return from it without a bill")
    func acceptsReference() async throws {
        try await Self.run { stage in
            try await stage.run("UPDATE users SET email = 'c@x'")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            let held = try await stage.command("show", "1").out
            #expect(held.contains("held: The reference differs from the one SignalWire knows"))
            #expect(held.contains("reference in the table  c@x") && held.contains("reference               a@x"))
            #expect(held.contains("subscriber-sync resync --user 1 --accept-reference"))

            #expect(try await stage.command("resync", "--all", "--accept-reference").status == 64)
            let preview = try await stage.command("resync", "--user", "1", "--accept-reference", "--dry-run")
            #expect(preview.status == 0 && preview.out.contains("create                  1"), "\(preview.err)")
            let asked = try await stage.command("resync", "--user", "1", "--accept-reference")
            #expect(asked.status == 64 && asked.err.contains("creates 1 subscriber at SignalWire, which is billed"))
            let taken = try await stage.command("resync", "--user", "1", "--accept-reference", "--yes")
            #expect(
                taken.out
                    == "marked 1 user\naccepted 1 new reference\ncreates 1 subscriber at SignalWire, which is billed\n")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            #expect(stage.sandbox.statistics().created == 2)
            let shown = try await stage.command("show", "1", "--format", "json").out
            #expect(
                shown.contains(#""reference": "c@x""#) && shown.contains(#""pairs_before": [{"reference": "a@x""#),
                "\(shown)")

            try await stage.run("UPDATE users SET email = 'a@x'")
            #expect(try await stage.command("show", "1").out.contains("REFERENCE BEFORE"))
            #expect(
                try await stage.command("resync", "--user", "1", "--dry-run").out.contains("create                  0"))
            #expect(try await stage.command("run", "--until-idle").status == 0)
            #expect(try await stage.hasSynced(1))
            #expect(stage.sandbox.statistics().created == 2)
        }
    }

    @Test("forget a person who is gone, and nobody else")
    func forgets() async throws {
        try await Self.run { stage in
            let refused = try await stage.command("forget", "1", "--yes")
            #expect(refused.status == 65 && refused.err.contains("still in the table and in scope"), "\(refused.err)")
            try await stage.run("DELETE FROM users")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            let asked = try await stage.command("forget", "01")
            #expect(asked.status == 64 && asked.err.contains("--yes"))
            let done = try await stage.command("forget", "01", "--yes")
            #expect(
                done.out.hasPrefix("forgotten, with 2 rows of the log\nleft: the subscriber at SignalWire"),
                "\(done.err)")
            #expect(try await stage.command("forget", "1", "--yes").status == 66)
            #expect(try await stage.command("show", "1").status == 66)
            let log = try await stage.command("log", "--format", "json").out
            #expect(log.contains("forgotten") && !log.contains("a@x") && !log.contains(#""user_key": "1""#))
        }
    }

    @Test("wait for a call in flight before they forget")
    func waitsForCall() async throws {
        try await Self.run { stage in
            stage.sandbox.setFaults([try Fault(parsing: "latency=1500")])
            try await stage.run("UPDATE users SET title = 'Dr'")
            let agent = try stage.start("run")
            await eventually(within: .seconds(20), "the call is in flight") { stage.sandbox.statistics().inFlight > 0 }
            try await stage.run("DELETE FROM users")
            let done = try await stage.command("forget", "1", "--yes")
            agent.send(15)
            #expect(try await agent.finish().status == 0)
            #expect(done.status == 0 && done.err == "subscriber-sync: waiting for a call in flight\n", "\(done.err)")
            #expect(
                try await stage.value("SELECT count(*) FROM subscriber_sync.log WHERE reference IS NOT NULL") == "0")
        }
    }
}
