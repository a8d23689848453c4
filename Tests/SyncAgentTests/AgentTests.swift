import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("An agent") struct AgentTests {
    @Test("brings a changed user to SignalWire within a second, and writes it down")
    func bringsChange() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'ada@x', 'Eng')")
            try await bench.withAgent { _ in
                try await bench.sees("ada@x", "job_title", "Eng")
                let start = ContinuousClock.now
                try await bench.fixture.run("UPDATE users SET title = 'Countess' WHERE id = 1")
                try await bench.sees("ada@x", "job_title", "Countess")
                #expect(ContinuousClock.now - start < .seconds(1))
                try await eventually(within: .seconds(5), "the row says synced") {
                    try await bench.status("1") == "synced"
                }
            }
            let id = try await bench.fixture.value("SELECT subscriber_id FROM subscriber_sync.subscriber")
            #expect(id == bench.sandbox.subscriber(reference: "ada@x")?.subscriberID)
            #expect(
                try await bench.fixture.column(
                    "SELECT outcome || array_to_string(changed_fields, ',') FROM subscriber_sync.log WHERE user_key = '1' ORDER BY id"
                )
                    == ["acceptedjob_title", "acceptedjob_title"])
            #expect(try await bench.fixture.value("SELECT count(*) FROM subscriber_sync.agent") == "0")
        }
    }

    @Test("pushes 2,000 users changed by one statement, each once", arguments: [1, 3])
    func pushesMany(agents: Int) async throws {
        try await Bench.run { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email, first_name) SELECT 'u' || i || '@x', 'F' || i FROM generate_series(1, 2000) i"
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<agents {
                    group.addTask {
                        let end = try await bench.runUntilIdle("agent-\(number)")
                        #expect(end == .idle)
                    }
                }
                try await group.waitForAll()
            }
            try await eventually(within: .seconds(20), "the last agent has settled") {
                try await bench.fixture.value(
                    "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'") == "2000"
            }
            try await bench.agrees()
            #expect(bench.sandbox.statistics().requests == 2000)
            #expect(bench.sandbox.statistics().maxConcurrent <= 32 * agents)
        }
    }

    @Test("parks a rejected user, and tries again only when the row changes")
    func parks() async throws {
        try await Bench.run(faults: ["status=422,code=invalid_parameter,reference=bad*"]) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (id, email, title) VALUES (1, 'bad@x', 'Eng'), (2, 'ok@x', 'Eng')")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(try await bench.status("1") == "rejected")
            #expect(try await bench.status("2") == "synced")
            #expect(
                try await bench.fixture.value(
                    "SELECT last_error_code FROM subscriber_sync.subscriber WHERE user_key = '1'")
                    == "invalid_parameter")
            bench.sandbox.setFaults([])
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(try await bench.status("1") == "rejected")
            try await bench.fixture.run("UPDATE users SET title = 'Dr'")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.agrees()
        }
    }

    @Test(
        "gets every user through in the end, whatever goes wrong with the first calls",
        arguments: [
            "status=500,count=3", "html,status=502,count=3", "reset-before,count=3", "reset-after,count=3",
            "cut-body,count=3",
            "status=429,retry-after=1,count=3",
        ])
    func retries(fault: String) async throws {
        try await Bench.run(faults: [fault]) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 10) i")
            let end = try await bench.runUntilIdle { settings in
                settings.dispatcher.lease = .seconds(3)
                settings.dispatcher.timeout = .seconds(1)
            }
            #expect(end == .idle)
            #expect(
                try await bench.fixture.value("SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'")
                    == "10")
            try await bench.agrees()
        }
    }

    @Test("pauses the fleet when the account is refused, spends nobody's attempts, and goes on after a probe")
    func pausesForAccount() async throws {
        try await Bench.run(faults: ["status=401"]) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (id, email) SELECT i, 'u' || i || '@x' FROM generate_series(1, 5) i")
            try await bench.withAgent { _ in
                try await eventually(within: .seconds(10), "paused") {
                    try await bench.fixture.value("SELECT pause_kind FROM subscriber_sync.control") == "account"
                }
                try await eventually(within: .seconds(10), "all are handed back") {
                    try await bench.fixture.value(
                        "SELECT count(*) FROM subscriber_sync.subscriber WHERE lease IS NULL AND attempts = 0") == "5"
                }
                bench.sandbox.setFaults([])
                try await bench.fixture.run("UPDATE subscriber_sync.control SET probe_at = now()")
                try await eventually(within: .seconds(20), "synced after the probe") {
                    try await bench.fixture.value(
                        "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'") == "5"
                }
            }
            try await bench.agrees()
            #expect(try await bench.fixture.value("SELECT pause_kind FROM subscriber_sync.control") == nil)
        }
    }

    @Test("finishes what is in flight when it is stopped, and hands back what isn't")
    func stops() async throws {
        try await Bench.run(faults: ["latency=300"]) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 200) i")
            try await bench.withAgent { agent in
                await eventually(within: .seconds(10), "calls are in flight") {
                    bench.sandbox.statistics().inFlight > 0
                }
                agent.stop()
            }
            let counts = try await bench.fixture.column(
                "SELECT status FROM subscriber_sync.subscriber GROUP BY 1 ORDER BY 1")
            #expect(counts == ["pending", "synced"])
            let synced = try await bench.fixture.value(
                "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'")
            #expect(synced == String(bench.sandbox.statistics().created), "nothing is lost or repeated")
            bench.sandbox.setFaults([])
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(bench.sandbox.statistics().requests == 200)
            try await bench.agrees()
        }
    }

    @Test("creates no more subscribers than the limit, and holds the others with the reason")
    func limitsCreation() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 20) i")
            #expect(try await bench.runUntilIdle { $0.newSubscriberLimit = 7 } == .idle)
            #expect(bench.sandbox.statistics().created == 7)
            #expect(
                try await bench.fixture.value(
                    "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'held' "
                        + "AND last_error_code = 'new_subscriber_limit'") == "13")
        }
    }

    @Test("keeps the subscriber of a user whose key changed, and creates none")
    func followsKeys() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, title) VALUES (1, 'ada@x', 'Eng')")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run("UPDATE users SET id = 9, title = NULL")
            #expect(try await bench.runUntilIdle { $0.newSubscriberLimit = 1 } == .idle)
            #expect(try await bench.status("1") == "deleted")
            #expect(try await bench.status("9") == "synced")
            #expect(bench.sandbox.statistics().created == 1)
            try await bench.agrees()
        }
    }

    @Test("says that it polls, and why, where it hears nothing")
    func saysDeaf() async throws {
        try await Bench.run { bench in
            try await bench.withAgent(change: { $0.silence = "capture.notify is off" }) { _ in
                try await eventually(within: .seconds(10), "the fleet's table says so") {
                    try await bench.fixture.value("SELECT wake_up_reason FROM subscriber_sync.agent")
                        == "capture.notify is off"
                }
            }
            try await bench.withAgent { _ in
                try await eventually(within: .seconds(15), "it hears itself") {
                    try await bench.fixture.value("SELECT wake_up FROM subscriber_sync.agent") == "notify"
                }
            }
        }
    }

    @Test("exits as paused where somebody is due and nobody may push")
    func endsPaused() async throws {
        try await Bench.run { bench in
            try await bench.fixture.run("INSERT INTO users (email) VALUES ('a@x')")
            try await FleetControl(session: bench.fixture.session, operatorName: "me").pause(reason: nil)
            #expect(try await bench.runUntilIdle() == .paused)
            #expect(bench.sandbox.statistics().requests == 0)
        }
    }

    @Test("leaves neither a token, a password nor a profile value in our tables")
    func leaksNothing() async throws {
        let fault = "status=422,code=invalid_parameter,reference=rejected*"
        try await Bench.run(faults: [fault]) { bench in
            try await bench.fixture.run(
                """
                INSERT INTO users (email, first_name, title, time_zone) VALUES
                ('ok@x', 'Plantedfirst', 'Plantedtitle', 'Planted/Zone'),
                ('rejected@x', 'Plantedfirst', 'Plantedtitle', 'Planted/Zone')
                """)
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run("UPDATE users SET title = 'Plantedother'")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(bench.sandbox.subscriber(reference: "ok@x")?.profile["job_title"] == "Plantedother")
            for table in ["subscriber", "log", "agent", "control", "change"] {
                let rows = try await bench.fixture.column("SELECT t::text FROM subscriber_sync.\(table) t")
                for row in rows.compactMap({ $0?.lowercased() }) {
                    #expect(!row.contains("planted"), "\(table): \(row)")
                    #expect(!row.contains("eyj"), "\(table): \(row)")
                }
            }
        }
    }

    @Test("goes on after the database was restarted", arguments: [PostgresServer.StopMode.fast, .immediate])
    func survivesRestart(mode: PostgresServer.StopMode) async throws {
        let server = try await PostgresServer.start()
        try await Bench.run(server: server, faults: ["latency=20"]) { bench in
            // Tests don't wait for the disk; here what was committed must outlive the server, the agent's commits too.
            try await bench.fixture.run(
                """
                SET synchronous_commit = on;
                DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$;
                INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 300) i
                """)
            try await bench.withAgent(change: { $0.dispatcher.lease = .seconds(8) }) { _ in
                await eventually(within: .seconds(10), "calls are in flight") {
                    bench.sandbox.statistics().requests > 20
                }
                try await server.restart(mode: mode)
                await eventually(within: .seconds(90), "all are synced") {
                    let synced = try? await bench.fixture.value(
                        "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'")
                    return synced == "300"
                }
                try await bench.fixture.run("SET search_path = public; UPDATE users SET title = 'after' WHERE id = 7")
                try await bench.sees("u7@x", "job_title", "after")
            }
            try await bench.agrees()
        }
        try await server.stop()
    }
}
