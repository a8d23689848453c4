import Foundation
import Glibc
import TestSupport
import Testing

@testable import SyncCommands

@Suite("status --watch") struct StatusWatchTests {
    static func environment(_ stage: Stage, _ more: [String: String] = [:]) -> [String: String] {
        ["PATH": "/usr/bin:/bin", "OPERATIONS_LISTEN": "", "TERM": "xterm"].merging(stage.environment) { $1 }
            .merging(more) { $1 }
    }

    /// Starts it on a terminal, waits for its first picture, does something, and expects it to have ended well.
    static func watch(
        _ stage: Stage, _ more: [String: String] = [:], _ body: (PseudoTerminal, Process) async throws -> Void
    ) async throws -> String {
        let terminal = try PseudoTerminal()
        #expect(terminal.isCooked)
        let process = try terminal.start(CommandRun.program, ["status", "--watch"], environment(stage, more))
        var text = ""
        await eventually(within: .seconds(20), "the first picture") {
            text += terminal.read()
            return text.contains("health")
        }
        #expect(!terminal.isCooked)
        try await body(terminal, process)
        await eventually(within: .seconds(20), "it ends") {
            text += terminal.read()
            return !process.isRunning
        }
        text += terminal.read()
        #expect(process.terminationStatus == 0)
        #expect(terminal.isCooked, "keys are as they were")
        #expect(text.hasPrefix("\u{1B}[?1049h\u{1B}[?25l"))
        #expect(text.hasSuffix("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"), "the terminal is given back")
        return text
    }

    @Test("gives the terminal back after q, and after Ctrl-C", arguments: ["q", "\u{03}"])
    func restoresOnKeys(key: String) async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let text = try await Self.watch(stage) { terminal, _ in terminal.type(key) }
            #expect(text.contains("\u{1B}[32mhealth   ok\u{1B}[0m"))
            #expect(!text.contains("\u{1B}[2J"), "the screen is never emptied")
        }
    }

    @Test("gives the terminal back after SIGTERM, and has no colours where NO_COLOR is set")
    func restoresOnSignal() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let text = try await Self.watch(stage, ["NO_COLOR": "1"]) { _, process in
                // setsid waits for it; the program is its only child.
                let children = "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children"
                let child = try String(contentsOfFile: children, encoding: .utf8).split(separator: " ").first
                kill(try #require(child.flatMap { pid_t($0) }), SIGTERM)
            }
            #expect(!text.contains("\u{1B}[32m") && text.contains("health   ok"))
        }
    }

    @Test("follows what changes, and the size of the window")
    func follows() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            _ = try await Self.watch(stage) { terminal, _ in
                try await stage.run("INSERT INTO users (email) SELECT 'u' || i FROM generate_series(1, 77) i")
                var text = ""
                await eventually(within: .seconds(20), "the changes are shown") {
                    text += terminal.read()
                    return text.contains("0 of 77") && text.contains("no agent is running")
                }
                terminal.resize(columns: 40, rows: 8)
                await eventually(within: .seconds(20), "it fits the smaller window") {
                    guard let frame = terminal.read().components(separatedBy: "\u{1B}[H").last else { return false }
                    return frame.contains("…") && frame.components(separatedBy: "\r\n").count == 8
                }
                terminal.type("q")
            }
        }
    }

    @Test("prints what changed where there is no terminal, and nothing twice")
    func withoutTerminal() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let run = try stage.start("status", "--watch", "--format", "json")
            await eventually(within: .seconds(20), "the first line") { run.out.hasSuffix("}\n") }
            _ = try await stage.command("pause")
            await eventually(within: .seconds(20), "the second line") {
                run.out.split(separator: "\n").count == 2 && run.out.hasSuffix("}\n")
            }
            run.send(SIGTERM)
            let lines = try await run.finish().out.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].contains("\"healthy\": true") && lines[1].contains("paused"))
            #expect(!lines.joined().contains("\u{1B}"))
        }
    }
}
