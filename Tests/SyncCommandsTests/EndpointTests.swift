import Foundation
import TestSupport
import Testing

/// An agent whose endpoints listen on a free port.
struct WatchedAgent: Sendable {
    let stage: Stage
    let process: CommandRun.Running
    let http: RawHTTP

    /// Migrates, runs an agent until the body is done, and stops it.
    static func run(
        changing: [String: String] = [:], table: String = Fixture.usersTable, faults: [String] = [],
        _ body: @Sendable (WatchedAgent) async throws -> Void
    ) async throws {
        try await Stage.run(table: table, faults: faults) { stage in
            let migrated = try await stage.command("migrate", changing: changing)
            #expect(migrated.status == 0, "\(migrated.err)")
            let process = try stage.start(
                "run", changing: ["OPERATIONS_LISTEN": "127.0.0.1:0"].merging(changing) { $1 })
            do {
                await eventually(within: .seconds(20), "the endpoints listen") { address(in: process.err) != nil }
                let port = try #require(address(in: process.err), "\(process.err)")
                try await body(WatchedAgent(stage: stage, process: process, http: RawHTTP(port: port)))
            } catch {
                process.send(SIGKILL)
                _ = try await process.finish()
                throw error
            }
            process.send(SIGTERM)
            #expect(try await process.finish().status == 0)
        }
    }

    /// The port that the log names.
    static func address(in log: String) -> Int? {
        let line = log.split(separator: "\n").first { $0.contains("operations endpoints listen") }
        return line.flatMap { $0.split(separator: ":").last }.flatMap { Int($0.prefix { $0.isNumber }) }
    }
}

@Suite("The endpoints of an agent", .timeLimit(.minutes(3))) struct EndpointTests {
    @Test("say that it lives and is ready, and nothing at other paths")
    func probes() async throws {
        try await WatchedAgent.run { agent in
            let live = try await agent.http.send("GET", "/livez")
            #expect(live.status == 200 && live.body == "ok\n")
            await eventually(within: .seconds(10), "it is ready") {
                (try? await agent.http.send("GET", "/readyz").status) == 200
            }
            #expect(try await agent.http.send("GET", "/other").status == 404)
            #expect(try await agent.http.send("POST", "/metrics").status == 404)
        }
    }

    @Test("are scraped by a real Prometheus, which then knows what was synced, and how long it took", .withPrometheus)
    func scraped() async throws {
        try await WatchedAgent.run { agent in
            let rules = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
                path: "../../deploy/alerts.yaml")
            try await agent.stage.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 30) i")
            try await eventually("they are synced") { try await agent.stage.hasSynced(30) }
            try await Prometheus.run(scraping: agent.http.port, rules: rules.path) { prometheus in
                for (query, value) in [
                    ("subscriber_sync_syncs_total{outcome=\"accepted\"}", "30"),
                    ("subscriber_sync_users{status=\"synced\"}", "30"),
                    ("subscriber_sync_api_requests_total{status=\"2xx\"}", "30"),
                    ("subscriber_sync_commit_to_accepted_seconds_count", "30"), ("subscriber_sync_agents", "1"),
                    ("subscriber_sync_listening", "1"), ("subscriber_sync_database_up", "1"), ("up", "1"),
                ] {
                    await eventually(within: .seconds(30), "Prometheus knows \(query) is \(value)") {
                        let escaped = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                        let answer = try? await prometheus.send("GET", "/api/v1/query?query=\(escaped)")
                        return answer?.body.contains(",\"\(value)\"]") == true
                    }
                }
                let loaded = try await prometheus.send("GET", "/api/v1/rules")
                #expect(loaded.body.contains("SubscriberSyncPaused") && loaded.body.contains("\"health\":\"ok\""))
            }
            let text = try await agent.http.send("GET", "/metrics")
            #expect(text.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(try await Prometheus.check(metrics: text.body) == nil)
        }
    }

    @Test("cost one of the four connections that the page about running names")
    func connections() async throws {
        #expect(try Page.named("Running").text.contains("| connections to PostgreSQL | four an agent: "))
        let held = """
            SELECT count(*)::text FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'subscriber-sync'
            """
        try await WatchedAgent.run { agent in
            try await eventually("it works, sweeps, listens and shows") { try await agent.stage.value(held) == "4" }
            for path in ["/metrics", "/status.json", "/readyz"] {
                #expect(try await agent.http.send("GET", path).status == 200)
            }
            #expect(try await agent.stage.value(held) == "4")
        }
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let agent = try stage.start("run", changing: ["OPERATIONS_LISTEN": ""])
            try await eventually("it works, sweeps and listens") { try await stage.value(held) == "3" }
            agent.send(SIGTERM)
            #expect(try await agent.finish().status == 0)
        }
    }

    @Test("answer a scrape while the database is gone, say that it is, and leave its old figures to age")
    func databaseGone() async throws {
        try await WatchedAgent.run { agent in
            #expect(try await agent.http.send("GET", "/metrics").body.contains("subscriber_sync_agents 1\n"))
            try await agent.stage.shutOut()
            await eventually(within: .seconds(20), "it says that the database is gone") {
                (try? await agent.http.send("GET", "/metrics").body.contains("subscriber_sync_database_up 0\n")) == true
            }
            let start = ContinuousClock.now
            #expect(try await agent.http.send("GET", "/metrics").body.contains("subscriber_sync_agents 1\n"))
            #expect(ContinuousClock.now - start < .seconds(8))
            #expect(try await agent.http.send("GET", "/readyz").status == 503)
            try await agent.stage.letIn()
            await eventually(within: .seconds(40), "it counts the reconnect") {
                let text = try? await agent.http.send("GET", "/metrics").body
                return text?.contains("subscriber_sync_database_up 1\n") == true
                    && text?.contains(#/subscriber_sync_database_reconnects_total\{session="work"\} [1-9]/#) == true
            }
        }
    }
}

extension Stage {
    /// Ends every other session of the database, and lets none in.
    func shutOut() async throws {
        try await admin(
            """
            ALTER DATABASE \(database.name) ALLOW_CONNECTIONS false;
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database.name)'
            """)
    }

    func letIn() async throws { try await admin("ALTER DATABASE \(database.name) ALLOW_CONNECTIONS true") }

    private func admin(_ sql: String) async throws {
        let dsn = database.dsn.replacing("/\(database.name)", with: "/postgres")
        _ = try await PlainClient.ask(dsn.replacing("dbname=\(database.name)", with: "dbname=postgres"), sql)
    }
}
