import Foundation
import Testing

/// A real browser without a window.
public enum Chromium {
    public static func find() -> String? { Prometheus.find("chromium") }

    /// Opens a page, lets it run for some seconds of its own time, and ends.
    ///
    /// - Returns: the document as it is then, and what the page wrote to the console.
    public static func open(_ url: String, seconds: Int = 6, width: Int = 1280) async throws -> (
        document: String, console: [String]
    ) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "chromium-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appending(path: "log").path
        let document = try await PostgresServerPrograms.output(
            of: [
                "sh", "-c", "exec \"$@\" 2>\(log)", "sh", find() ?? "chromium", "--headless", "--no-sandbox",
                "--disable-gpu", "--enable-logging=stderr", "--user-data-dir=\(folder.path)/profile",
                "--window-size=\(width),1200", "--virtual-time-budget=\(seconds * 1000)", "--dump-dom", url,
            ])
        let lines = try String(contentsOfFile: log, encoding: .utf8).components(separatedBy: "\n")
        return (document, lines.filter { $0.contains("CONSOLE") })
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that need a real browser.
    public static var withChromium: Self {
        .enabled(if: Chromium.find() != nil, "Chromium is missing: install the package chromium.")
    }
}
