import Foundation
import Glibc
import Testing

/// The real Prometheus, and its tool.
public enum Prometheus {
    /// Where a program is, if it is installed.
    public static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/local/bin"])
            .map { "\($0)/\(program)" }.first(where: FileManager.default.isExecutableFile(atPath:))
    }

    /// Runs promtool on a text; `nil` where it has nothing to say against it, or else what it says.
    public static func check(metrics: String) async throws -> String? {
        let file = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString)")
        try Data(metrics.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await complaint(of: ["sh", "-c", "exec promtool check metrics <\(file.path)"])
    }

    /// Runs the tests of a file of rules.
    public static func test(rules path: String) async throws -> String? {
        try await complaint(of: ["promtool", "test", "rules", path])
    }

    private static func complaint(of command: [String]) async throws -> String? {
        do {
            let output = try await PostgresServerPrograms.output(of: command)
            return output.isEmpty || output.contains("SUCCESS") ? nil : output
        } catch let error as TestSupportError {
            return error.description
        }
    }

    /// Runs a server that scrapes one target five times a second, until the body is done.
    public static func run(
        scraping port: Int, rules: String, _ body: (RawHTTP) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "prometheus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let settings = """
            global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 1s}
            rule_files: ["\(rules)"]
            scrape_configs:
              - job_name: subscriber-sync
                static_configs: [{targets: ["127.0.0.1:\(port)"]}]
            """
        try Data(settings.utf8).write(to: folder.appending(path: "prometheus.yml"))
        let own = try freePort()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: find("prometheus") ?? "prometheus")
        process.arguments = [
            "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
            "--web.listen-address=127.0.0.1:\(own)", "--log.level=error",
        ]
        let log = folder.appending(path: "log")
        try Data().write(to: log)
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        try await body(RawHTTP(port: own))
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that need Prometheus' own programs.
    public static var withPrometheus: Self {
        .enabled(
            if: Prometheus.find("prometheus") != nil && Prometheus.find("promtool") != nil,
            "Prometheus is missing: install the package prometheus.")
    }
}
