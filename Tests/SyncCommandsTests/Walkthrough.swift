import Foundation
import SignalWireSandbox
import TestSupport
import Testing

/// A reader who types what a page says into a shell on a terminal, line by line, and agrees when asked.
struct Walkthrough {
    private let stage: Stage
    private let folder: URL
    private let before: [String]

    /// - Parameter before: lines of other pages that this one builds on.
    init(_ stage: Stage, before: [String]) throws {
        self.stage = stage
        self.before = before
        folder = FileManager.default.temporaryDirectory.appending(path: "walk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let settings = try #require(try Page.readme().blocks.first { $0.language == "yaml" })
        try settings.text.write(to: folder.appending(path: "subscriber-sync.yaml"), atomically: true, encoding: .utf8)
    }

    /// What a reader puts in place of what stands there, and the one command that doesn't end by itself.
    private var places: [(onPage: String, here: String)] {
        [
            ("postgresql://app@db.example.com/app", "'\(stage.database.dsn)'"),
            ("SIGNALWIRE_SPACE=acme", "SIGNALWIRE_SPACE=\(stage.sandbox.url)"), ("=…", "=planted"),
        ]
    }

    private func typed(_ line: String) -> String {
        if DocumentedCommandTests.command(line) == "subscriber-sync run" {
            return "subscriber-sync run 2>agent.log & agent=$!"
        }
        return places.reduce(line) { $0.replacing($1.onPage, with: $1.here) }
    }

    /// Runs the lines, then stops the agent if there was one.
    func run(_ lines: [String]) async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appending(path: "script")
        let end = ["[ -z \"${agent:-}\" ] || { kill \"$agent\" && wait \"$agent\"; }", "echo walked to the end"]
        let text = (["set -euo pipefail"] + before.map(typed) + lines.map(typed) + end).joined(separator: "\n")
        try text.write(to: script, atomically: true, encoding: .utf8)
        let program = URL(fileURLWithPath: CommandRun.program).deletingLastPathComponent().path
        let terminal = try PseudoTerminal(columns: 120)
        let process = try terminal.start(
            "/bin/bash", ["-c", "cd \"$0\" && exec bash ./script", folder.path],
            ["PATH": "\(program):/usr/bin:/bin", "TERM": "xterm", "OPERATIONS_LISTEN": "127.0.0.1:0"])
        let shown = await answer(process, on: terminal)
        let log = try? String(contentsOf: folder.appending(path: "agent.log"), encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(shown)\n\(log ?? "")")
        #expect(shown.contains("walked to the end"))
    }

    /// Says yes to each question.
    ///
    /// - Returns: what was shown.
    private func answer(_ process: Process, on terminal: PseudoTerminal) async -> String {
        var shown = ""
        var questions = 0
        await eventually(within: .seconds(60), "the shell ends") {
            shown += terminal.read()
            let asked = shown.components(separatedBy: "[y/N] ").count - 1
            if asked > questions { terminal.type("y\n") }
            questions = asked
            return !process.isRunning
        }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return shown + terminal.read()
    }
}
