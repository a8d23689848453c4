import Foundation
import Glibc
import Postgres
import SignalWireSandbox
import TestSupport
import Testing

@Suite("The commands") struct CommandTests {
    @Test("take a fresh database to synced users, and every view of them agrees")
    func mainPath() async throws {
        try await Stage.run { stage in
            try await stage.run("INSERT INTO users (id, email, title) VALUES (1, 'ada@x', 'Eng'), (2, 'bob@x', 'Dr')")
            #expect(try await stage.command("status").status == 78)
            #expect(try await stage.command("migrate", "--dry-run").out.contains("would apply V0001__ledger.sql"))
            #expect(try await stage.value("SELECT to_regnamespace('subscriber_sync')::text") == nil)
            #expect(try await stage.command("migrate").status == 0)
            #expect(try await stage.command("migrate").out.contains("capture up to date"))
            let preview = try await stage.command("resync", "--all", "--dry-run")
            #expect(preview.out.contains("create                  2"))
            let unanswered = try await stage.command("resync", "--all")
            #expect(unanswered.status == 64 && unanswered.err.contains("2 subscribers"))
            #expect(try await stage.value("SELECT count(*) FROM subscriber_sync.subscriber") == "0")
            #expect(try await stage.command("resync", "--all", "--yes").out == "marked 2 users\n")
            let agent = try stage.start("run")
            let waited = try await stage.command("resync", "--user", "1", "--force", "--wait")
            #expect(waited.status == 0 && waited.out.hasPrefix("marked 1 user\n"))
            #expect(waited.out.hasSuffix("done: 1 user, 0 refused\n"), "\(waited.out)")
            try await eventually("both are synced") { try await stage.hasSynced(2) }
            try await Self.checkViews(stage)
            try await stage.run("SET session_replication_role = replica; UPDATE users SET title = 'unseen'; RESET ALL")
            let verified = try await stage.command("resync", "--verify", "--wait")
            #expect(verified.words.contains("job_title 2\n"), "\(verified.out)")
            #expect(verified.out.hasSuffix("done: 2 users, 0 refused\nswept 2 users, 0 differed\n"), "\(verified.err)")
            #expect(stage.sandbox.subscriber(reference: "ada@x")?.profile["job_title"] == "unseen")
            agent.send(SIGTERM)
            let end = try await agent.finish()
            #expect(end.status == 0 && end.out.isEmpty)
            #expect(try await stage.command("uninstall", "--yes").status == 0)
            try await stage.run("UPDATE users SET title = 'after'")
        }
    }

    static func checkViews(_ stage: Stage) async throws {
        let status = try await stage.command("status", "--format", "json")
        #expect(status.status == 0)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(status.out.utf8)) as? [String: Any])
        #expect((document["users"] as? [String: Int])?["synced"] == 2)
        #expect(document["agents"] as? Int == 1)
        let show = try await stage.command("show", "1", "--format", "json")
        let user = try #require(try JSONSerialization.jsonObject(with: Data(show.out.utf8)) as? [String: Any])
        #expect(user["status"] as? String == "synced")
        #expect((user["fields"] as? [String: String])?["job_title"] == "same")
        #expect(user["subscriber_id"] as? String == stage.sandbox.subscriber(reference: "ada@x")?.subscriberID)
        let log = try await stage.command("log", "--format", "json", "--user", "1")
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(log.out.utf8)) as? [[String: Any]])
        #expect(rows.contains { $0["outcome"] as? String == "accepted" })
        #expect(try await stage.command("show", "77").status == 66)
    }

    @Test("lose nothing when agents are killed in the middle")
    func survivesKill() async throws {
        try await Stage.run(faults: ["latency=5"]) { stage in
            _ = try await stage.command("migrate")
            let agents = [try stage.start("run"), try stage.start("run")]
            try await stage.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 1500) i")
            await eventually(within: .seconds(20), "calls are made") { stage.sandbox.statistics().requests > 100 }
            agents[0].send(SIGKILL)
            _ = try await agents[0].finish()
            let heir = try await stage.command("run", "--until-idle", changing: ["DELIVERY_LEASE": "20s"])
            #expect(heir.status == 0, "\(heir.err)")
            try await eventually(within: .seconds(60), "all are synced") { try await stage.hasSynced(1500) }
            #expect(stage.sandbox.statistics().created == 1500)
            #expect(stage.sandbox.statistics().overlaps == 0)
            agents[1].send(SIGTERM)
            #expect(try await agents[1].finish().status == 0)
        }
    }

    @Test("refuse users with 65, paused fleets with 75, and say why")
    func refuses() async throws {
        try await Stage.run(faults: ["status=422,code=invalid_parameter,reference=bad*"]) { stage in
            try await stage.run("INSERT INTO users (id, email) VALUES (1, 'bad@x')")
            _ = try await stage.command("migrate")
            let agent = try stage.start("run")
            let refused = try await stage.command("resync", "--user", "1", "--wait")
            #expect(refused.status == 65 && refused.err.contains("1 user was refused"))
            #expect(
                refused.out.contains("marked 1 user\ncreates 1 subscriber at SignalWire, which is billed\n"))
            #expect(try await stage.command("show", "1").out.contains("invalid_parameter"))
            #expect(try await stage.command("pause", "--reason", "lunch").status == 0)
            let paused = try await stage.command("status")
            #expect(paused.status == 75 && paused.out.contains("lunch"))
            #expect(try await stage.command("pause").status == 0)
            #expect(try await stage.command("status").out.contains("lunch"), "a second pause keeps the reason")
            try await stage.run("UPDATE users SET title = 'x'")
            try await eventually("the change is folded") {
                try await stage.command("show", "1").out.contains(
                    "waits: pushing is paused by an operator: lunch; `resume` goes on; then due: ")
            }
            let shown = try await stage.command("show", "1", "--format", "json")
            #expect(shown.out.contains(#""pause": {"kind": "operator", "reason": "lunch""#))
            agent.send(SIGTERM)
            _ = try await agent.finish()
            #expect(try await stage.command("run", "--until-idle").status == 75)
            #expect(try await stage.command("resume").status == 0)
        }
    }

    @Test("print a script that does by hand what migrate does")
    func printsScript() async throws {
        try await Stage.run { stage in
            let script = try await stage.command("migrate", "--print")
            #expect(script.status == 0)
            #expect(try await stage.value("SELECT to_regnamespace('subscriber_sync')::text") == nil)
            try await stage.run(script.out)
            #expect(try await stage.command("migrate").out == "schema up to date\ncapture up to date on public.users\n")
            let done = try await stage.command("migrate", "--print")
            #expect(
                done.status == 0 && done.out.split(separator: "\n").allSatisfy { $0.hasPrefix("-- ") }, "\(done.out)")
            try await stage.run("DROP TRIGGER subscriber_sync_insert ON users")
            let rest = try await stage.command("migrate", "--print").out
            #expect(rest.contains("subscriber_sync_insert") && !rest.contains("CREATE SCHEMA"))
            try await stage.run(rest)
            #expect(try await stage.command("migrate").out == "schema up to date\ncapture up to date on public.users\n")
        }
    }

    @Test("stop within the deadline while calls hang, and at once when told twice")
    func stopsWhileHanging() async throws {
        try await Stage.run(faults: ["hang"]) { stage in
            _ = try await stage.command("migrate")
            try await stage.run("INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 50) i")
            let agent = try CommandRun.Running.start(
                ["run"], stage.environment.merging(["DELIVERY_TIMEOUT": "2s"]) { $1 })
            await eventually("calls hang") { stage.sandbox.statistics().requests > 0 }
            let start = ContinuousClock.now
            agent.send(SIGTERM)
            #expect(try await agent.finish().status == 0)
            #expect(ContinuousClock.now - start < .seconds(10))
            let other = try stage.start("run")
            try await eventually("it is at work") {
                try await stage.value("SELECT count(*) FROM subscriber_sync.agent") == "1"
            }
            other.send(SIGTERM)
            other.send(SIGINT)
            #expect(try await other.finish().status == 75)
        }
    }

    @Test("print no token, password or profile value anywhere but where it is asked for")
    func leaksNothing() async throws {
        try await Stage.run(faults: ["status=422,code=invalid_parameter,message=Plantedtitle is bad,reference=bad*"]) {
            stage in
            try await stage.run(
                "INSERT INTO users (id, email, first_name, title) VALUES (1, 'ok@x', 'Plantedname', 'Plantedtitle'),"
                    + "(2, 'bad@x', 'Plantedname', 'Plantedtitle')")
            _ = try await stage.command("migrate")
            _ = try await stage.command("resync", "--all", "--yes")
            var texts: [String] = []
            for run in [
                try await stage.command("run", "--until-idle", changing: ["LOG_LEVEL": "trace"]),
                try await stage.command("status"), try await stage.command("show", "1"),
                try await stage.command("show", "2"), try await stage.command("log"),
                try await stage.command("log", "--format", "json"), try await stage.command("config"),
                try await stage.command("config", "--format", "json"),
            ] { texts += [run.out, run.err] }
            for table in ["subscriber", "log", "agent", "control", "change", "status"] {
                texts.append(
                    try await stage.value("SELECT string_agg(t::text, ' ') FROM subscriber_sync.\(table) t") ?? "")
            }
            #expect(stage.sandbox.subscriber(reference: "ok@x")?.profile["job_title"] == "Plantedtitle")
            for text in texts {
                #expect(
                    !text.lowercased().contains("plantedname") && !text.lowercased().contains("plantedtitle"), "\(text)"
                )
                #expect(!text.contains("planted-api-token") && !text.contains("eyJ"), "\(text)")
            }
            let token = try await stage.command("token", "ok@x", "--expires", "60s")
            #expect(token.status == 0 && token.out.hasPrefix("eyJ") && !token.err.contains("eyJ"))
        }
    }
}
