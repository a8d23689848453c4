import Foundation
import Glibc
import SignalWireSandbox
import TestSupport
import Testing

@Suite("SIGHUP", .timeLimit(.minutes(3))) struct ReloadTests {
    /// Runs an agent whose settings stand in a file, which the body may write anew.
    static func run(
        _ settings: String, faults: [String] = [],
        _ body: @Sendable (Stage, CommandRun.Running, @Sendable (String) throws -> Void) async throws -> Void
    ) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "reload-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        let write: @Sendable (String) throws -> Void = { try Data($0.utf8).write(to: file) }
        try write(settings)
        try await Stage.run(faults: faults) { stage in
            let migrated = try await stage.command("migrate")
            #expect(migrated.status == 0)
            var environment = stage.environment
            for key in ["DELIVERY_RATE", "LIMITS_NEW_SUBSCRIBERS", "DELIVERY_LEASE"] { environment[key] = nil }
            let agent = try CommandRun.Running.start(["run", "--config", file.path], environment)
            do {
                await eventually(within: .seconds(20), "the agent runs") { agent.err.contains("sweep ended") }
                try await body(stage, agent, write)
            } catch {
                agent.send(SIGKILL)
                _ = try await agent.finish()
                throw error
            }
            agent.send(SIGTERM)
            #expect(try await agent.finish().status == 0)
        }
    }

    @Test("takes the level, the rate and the limits, and says what it took and what needs a restart")
    func takes() async throws {
        try await Self.run("delivery: {rate: 2}\nlimits: {new_subscribers: 5}\n") { stage, agent, write in
            try await stage.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 60) i")
            try await eventually("the limit holds the others") {
                try await stage.value("SELECT held::text FROM subscriber_sync.status") ?? "0" > "0"
            }
            try write("delivery: {rate: 0, timeout: 20s}\nlimits: {new_subscribers: -1}\nlog: {level: debug}\n")
            agent.send(SIGHUP)
            await eventually("it says so") { agent.err.contains("settings reloaded") }
            let line = agent.err.split(separator: "\n").first { $0.contains("settings reloaded") } ?? ""
            #expect(line.contains("needs_restart=delivery.timeout "))
            #expect(line.contains("taken=\"delivery.rate, limits.new_subscribers, log.level\""))
            // Sixty more at two a second would take half a minute.
            try await stage.run(
                "INSERT INTO users (email, title) SELECT 'w' || i || '@x', 'T' FROM generate_series(1, 60) i")
            try await eventually(within: .seconds(10), "they are all there") {
                try await stage.value(
                    "SELECT count(*) FROM subscriber_sync.subscriber s JOIN users u ON u.id::text = "
                        + "s.user_key WHERE u.email LIKE 'w%' AND s.status = 'synced'") == "60"
            }
            await eventually("it tells more") { agent.err.contains(" debug user settled ") }
            try write("log: {level: info}\n")
            agent.send(SIGHUP)
            await eventually("it says so") {
                agent.err.components(separatedBy: "settings reloaded").count == 3
            }
        }
    }

    @Test("changes nothing where the settings are wrong, and says what is")
    func wrong() async throws {
        try await Self.run("delivery: {rate: 7}\n") { _, agent, write in
            for (text, what) in [("delivery: {rate: often}\n", "delivery.rate"), ("delivery: [\n", "not valid YAML")] {
                try write(text)
                agent.send(SIGHUP)
                await eventually("it says what is wrong") {
                    agent.err.split(separator: "\n").contains { $0.contains("not reloaded") && $0.contains(what) }
                }
            }
            try write("delivery: {rate: 7}\n")
            agent.send(SIGHUP)
            await eventually("nothing was changed") { agent.err.contains("settings reloaded taken=none\n") }
        }
    }

    @Test("is no line a user: a thousand pushes are told by one when they begin to fail and one when they don't")
    func lines() async throws {
        try await Self.run("delivery: {rate: 0}\nlimits: {new_subscribers: -1}\n", faults: ["status=503,count=40"]) {
            stage, agent, _ in
            let before = agent.err.split(separator: "\n").count
            try await stage.run(
                "INSERT INTO users (email, title) SELECT 'u' || i || '@x', 'T' FROM generate_series(1, 1000) i")
            try await eventually(within: .seconds(60), "all are synced") { try await stage.hasSynced(1000) }
            let lines = agent.err.split(separator: "\n").dropFirst(before)
            #expect(lines.count <= 12, "\(lines.joined(separator: "\n"))")
            #expect(lines.contains { $0.contains("SignalWire did not accept a user") })
        }
    }
}
