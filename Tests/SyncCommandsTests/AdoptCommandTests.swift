import Foundation
import SignalWireSandbox
import TestSupport
import Testing

@Suite("The commands beside what SignalWire has already") struct AdoptCommandTests {
    static let users = """
        INSERT INTO users (id, email, first_name, title) VALUES
            (1, 'ada@x', 'Ada', 'Eng'), (2, 'bob@x', 'Bob', 'Boss'), (3, 'new@x', 'New', NULL),
            (4, 'twin@x', 'One', NULL), (5, ' TWIN@x', 'Two', NULL), (6, 'pair@x', 'P', NULL), (7, 'Cap@x', 'Cap', NULL),
            (8, 'gone@x', 'Gone', NULL);
        UPDATE users SET deleted_at = now() WHERE id = 8
        """

    static let seeds = [
        SandboxSeed("ada@x", ["first_name": "Ada", "job_title": "Eng"]),
        SandboxSeed("bob@x", ["first_name": "Planted-Robert", "job_title": "Boss"]), SandboxSeed("twin@x"),
        SandboxSeed("pair@x"), SandboxSeed("PAIR@x"), SandboxSeed("cap@x", ["first_name": "Cap"]),
        SandboxSeed("planted-stranger@x", ["first_name": "Planted"]), SandboxSeed("gone@x"),
    ]

    static func json(_ run: CommandRun) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(run.out.utf8)) as? [String: Any], "\(run.err)")
    }

    static func sample(_ document: [String: Any], _ key: String) -> [String] {
        (document[key] as? [String: Any])?["sample"] as? [String] ?? []
    }

    @Test("adopt whom both sides know, touch nobody who is ambiguous, and a run then creates nobody")
    func adopts() async throws {
        try await Stage.run { stage in
            stage.sandbox.seed(Self.seeds)
            try await stage.run(Self.users)
            _ = try await stage.command("migrate")
            let dry = try await stage.command("adopt", "--dry-run", "--format", "json")
            #expect(try await stage.value("SELECT count(*) FROM subscriber_sync.subscriber") == "0")
            let run = try await stage.command("adopt", "--format", "json")
            let (plan, document) = (try Self.json(dry), try Self.json(run))
            for (key, count) in [("listed", 8), ("adopted", 3), ("same", 1), ("known", 0), ("duplicate_references", 1)]
            {
                #expect(plan[key] as? Int == count && document[key] as? Int == count, "\(key): \(document)")
            }
            #expect(Self.sample(document, "differing") == ["2"])
            #expect(Self.sample(document, "spelled_otherwise") == ["7"])
            #expect(Self.sample(document, "users_without_subscriber") == ["3"])
            #expect(Self.sample(document, "ambiguous_users") == ["4", "5", "6"])
            let stranger = stage.sandbox.subscriber(reference: "planted-stranger@x")?.resourceID
            #expect(Self.sample(document, "subscribers_without_user").contains(stranger ?? "-"))
            #expect(!(run.out + run.err + dry.out).lowercased().contains("planted"))
            #expect(stage.sandbox.statistics().byStatus == ["200": 2], "two lists were read, and nothing else asked")
            let again = try Self.json(try await stage.command("adopt", "--format", "json"))
            #expect(again["adopted"] as? Int == 0 && again["known"] as? Int == 3)
            let ran = try await stage.command("run", "--until-idle")
            #expect(ran.status == 0, "\(ran.err)")
            #expect(stage.sandbox.statistics().created == 0 && stage.sandbox.statistics().updated == 0)
            #expect(
                try await stage.value("SELECT status FROM subscriber_sync.subscriber WHERE user_key = '1'") == "synced")
            let preview = try await stage.command("resync", "--where", "id IN (1, 2)", "--dry-run")
            #expect(
                preview.out.contains("create                  0") && preview.out.contains("update                  1"))
            try await stage.run("UPDATE users SET title = 'x' WHERE id IN (1, 2, 7)")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            #expect(stage.sandbox.statistics().created == 0 && stage.sandbox.statistics().updated == 2)
            #expect(stage.sandbox.subscriber(reference: "bob@x")?.profile == ["first_name": "Bob", "job_title": "x"])
            #expect(try await stage.command("show", "7").out.contains("reference_changed"))
        }
    }

    @Test("read a long list over bad answers, and say with the right code why it can't be read")
    func readsList() async throws {
        try await Stage.run { stage in
            stage.sandbox.seed((1...1234).map { SandboxSeed("u\($0)@x") })
            try await stage.run("INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 3000) i")
            _ = try await stage.command("migrate")
            stage.sandbox.setFaults([
                try Fault(parsing: "status=429,retry-after=0,count=2,path=*resources*"),
                try Fault(parsing: "cut-body,count=1"), try Fault(parsing: "status=503,count=1"),
            ])
            let run = try await stage.command("adopt")
            #expect(run.status == 0 && run.words.contains("adopted 1234"), "\(run.out)\(run.err)")
            #expect(run.words.contains("users without subscriber 1766 such as "))
            stage.sandbox.setFaults([try Fault(parsing: "status=401")])
            #expect(try await stage.command("adopt").status == 78)
            stage.sandbox.setFaults([try Fault(parsing: "status=404")])
            #expect(try await stage.command("resync", "--verify").status == 65)
            #expect(try await stage.command("show", "1", "--remote").status == 65)
        }
    }

    @Test("find drift field by field, tell it without a value, and push it away")
    func verifies() async throws {
        try await Stage.run { stage in
            try await stage.run(
                """
                INSERT INTO users (id, email, first_name, title) VALUES (1, 'ada@x', 'Ada', 'Eng'), (2, 'bob@x', 'Bob', 'Boss'),
                    (3, 'cyd@x', 'Cyd', NULL), (4, 'dan@x', 'Dan', NULL), (5, 'eve@x', 'Eve', NULL)
                """)
            _ = try await stage.command("migrate")
            _ = try await stage.command("resync", "--user", "1", "2", "3", "4")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            try await stage.run("UPDATE subscriber_sync.subscriber SET admitted_at = now() - interval '1 hour'")
            stage.sandbox.seed([
                SandboxSeed("ada@x", ["job_title": "Planted", "time_zone": "Planted/Zone"]),
                SandboxSeed("bob@x", ["job_title": ""]),
            ])
            let shown = try await stage.command("show", "1", "--remote")
            #expect(shown.out.contains("first_name  same\njob_title   differs\ntime_zone   differs\n"), "\(shown.out)")
            #expect(!shown.words.contains("Planted"))
            let dry = try await stage.command("resync", "--verify", "--dry-run")
            #expect(dry.status == 0 && !dry.words.contains("marked") && !dry.words.contains("Planted"))
            for line in [
                "known users compared 4", "with other values 2 such as 1, 2",
                "job_title 2", "time_zone 1",
                "never pushed 1",
            ] {
                #expect(dry.words.contains(line), "\(dry.out)")
            }
            let agent = try stage.start("run")
            try await eventually("an agent is there") {
                try await stage.value("SELECT count(*) FROM subscriber_sync.agent") == "1"
            }
            let run = try await stage.command("resync", "--verify", "--wait")
            #expect(run.status == 0 && run.words.contains("marked 2 users"), "\(run.out)\(run.err)")
            #expect(run.words.contains("done: 2 users, 0 refused\nswept 5 users, 0 differed"), "\(run.out)")
            #expect(
                stage.sandbox.subscriber(reference: "ada@x")?.profile == [
                    "first_name": "Ada", "job_title": "Eng", "time_zone": "",
                ])
            #expect(stage.sandbox.subscriber(reference: "bob@x")?.profile["job_title"] == "Boss")
            let after = try await stage.command("resync", "--verify", "--dry-run")
            #expect(after.words.contains("as the row says 4"), "\(after.out)")
            agent.send(SIGTERM)
            #expect(try await agent.finish().status == 0)
            let fields = try await stage.value(
                "SELECT string_agg(changed_fields::text, ' ' ORDER BY user_key) FROM subscriber_sync.log WHERE outcome = 'drift_found'"
            )
            #expect(fields == "{job_title,time_zone} {job_title}")
        }
    }

    @Test("create a subscriber that is gone only when asked, and only inside the limit")
    func recreates() async throws {
        try await Stage.run { stage in
            try await stage.run(
                "INSERT INTO users (id, email, title) SELECT i, 'u' || i || '@x', 'T' FROM generate_series(1, 4) i")
            _ = try await stage.command("migrate")
            _ = try await stage.command("resync", "--all", "--yes")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            stage.sandbox.remove(reference: "u1@x")
            stage.sandbox.remove(reference: "u2@x")
            let young = try await stage.command("resync", "--verify", "--yes")
            #expect(young.words.contains("marked 0 users"), "the list may be behind: \(young.out)")
            try await stage.run("UPDATE subscriber_sync.subscriber SET admitted_at = now() - interval '2 days'")
            let unasked = try await stage.command("resync", "--verify")
            #expect(unasked.words.contains("gone there 2 such as 1, 2"), "\(unasked.out)")
            #expect(
                unasked.words.contains("marked 0 users") && unasked.err.contains("2 subscribers would be created anew"))
            let gone = try await stage.command("show", "1", "--remote", "--format", "json")
            #expect((try Self.json(gone)["remote"] as? [String: Any])?["found"] as? String == "nobody")
            #expect(try await stage.command("resync", "--verify", "--yes").out.contains("marked 2 users"))
            let limited = try await stage.command("run", "--until-idle", changing: ["LIMITS_NEW_SUBSCRIBERS": "1"])
            #expect(limited.status == 0, "\(limited.err)")
            #expect(stage.sandbox.statistics().created == 5 && stage.sandbox.snapshot().count == 3)
            #expect(
                try await stage.value("SELECT last_error_code FROM subscriber_sync.subscriber WHERE status = 'held'")
                    == "new_subscriber_limit")
            stage.sandbox.reset()
            let empty = try await stage.command("resync", "--verify", "--yes")
            #expect(empty.words.contains("marked 0 users") && empty.err.contains("lists nobody at all"), "\(empty.err)")
        }
    }

    @Test("heal the id of a subscriber that was made anew, and leave one alone that has another reference")
    func replaced() async throws {
        try await Stage.run { stage in
            try await stage.run("INSERT INTO users (id, email) VALUES (1, 'a@x'), (2, 'b@x')")
            _ = try await stage.command("migrate")
            _ = try await stage.command("resync", "--all", "--yes")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            try await stage.run("UPDATE subscriber_sync.subscriber SET admitted_at = now() - interval '1 hour'")
            stage.sandbox.remove(reference: "a@x")
            stage.sandbox.seed([SandboxSeed("a@x")])
            try await stage.run(
                """
                UPDATE subscriber_sync.subscriber SET reference = 'other@x' WHERE user_key = '2';
                ALTER TABLE users DISABLE TRIGGER USER;
                UPDATE users SET email = 'other@x' WHERE id = 2;
                ALTER TABLE users ENABLE TRIGGER USER
                """)
            let run = try await stage.command("resync", "--verify")
            #expect(run.words.contains("made anew there 1 such as 1"), "\(run.out)")
            #expect(run.words.contains("under another reference there 1 such as 2"), "\(run.out)")
            #expect(run.words.contains("marked 1 user"))
            #expect(try await stage.command("run", "--until-idle").status == 0)
            let id = stage.sandbox.subscriber(reference: "a@x")?.subscriberID
            #expect(
                try await stage.value("SELECT subscriber_id::text FROM subscriber_sync.subscriber WHERE user_key = '1'")
                    == id)
            #expect(
                try await stage.value(
                    "SELECT count(*) FROM subscriber_sync.log WHERE outcome = 'subscriber_id_changed'") == "1")
        }
    }
}

extension AdoptCommandTests {
    @Test("disturb neither agents nor the application, however often they are repeated meanwhile")
    func meanwhile() async throws {
        try await Stage.run(faults: ["latency=5,path=*tokens*"]) { stage in
            stage.sandbox.seed((1...600).map { SandboxSeed("u\($0)@x", ["first_name": "There"]) })
            try await stage.run(
                "INSERT INTO users (id, email, first_name) SELECT i, 'u' || i || '@x', 'Here' FROM generate_series(1, 600) i"
            )
            _ = try await stage.command("migrate")
            _ = try await stage.command("resync", "--where", "id <= 400", "--yes")
            let agents = [try stage.start("run"), try stage.start("run")]
            for round in 1...3 {
                try await stage.run("UPDATE users SET title = 'r\(round)' WHERE id % 3 = \(round % 3)")
                let adopted = try await stage.command("adopt")
                let verified = try await stage.command("resync", "--verify", "--yes")
                #expect(adopted.status == 0 && verified.status == 0, "\(adopted.err)\(verified.err)")
            }
            let last = try await stage.command("resync", "--verify", "--wait")
            #expect(last.status == 0, "\(last.err)")
            try await eventually(within: .seconds(60), "all are synced") { try await stage.hasSynced(600) }
            let statistics = stage.sandbox.statistics()
            #expect(statistics.created == 0 && statistics.overlaps == 0 && statistics.foldedDuplicates == 0)
            for subscriber in stage.sandbox.snapshot() {
                let key = subscriber.reference.dropFirst().prefix { $0 != "@" }
                let round = Int(key).map { $0 % 3 == 0 ? 3 : $0 % 3 } ?? 0
                #expect(subscriber.profile["first_name"] == "Here" && subscriber.profile["job_title"] == "r\(round)")
            }
            let wrong = try await stage.value(
                "SELECT count(*) FROM subscriber_sync.subscriber WHERE subscriber_id IS NULL OR reference <> 'u' || user_key || '@x'"
            )
            #expect(wrong == "0")
            for agent in agents { agent.send(SIGTERM) }
            for agent in agents { #expect(try await agent.finish().status == 0) }
        }
    }
}

extension CommandRun {
    /// What stands on stdout, with one blank where there are several.
    var words: String { out.split(separator: " ").joined(separator: " ") }
}
