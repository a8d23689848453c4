import SyncStore
import TestSupport
import Testing

@testable import SyncCommands

@Suite("A frame of status --watch") struct StatusFrameTests {
    static func status(in stage: Stage) async throws -> FleetStatus { try await FleetStatus.read(in: stage.session) }

    static func frame(
        _ status: FleetStatus?, trouble: String? = nil, most: Int = 0, _ size: TerminalSize = .usual
    ) -> [String] {
        StatusFrame(
            status: status, trouble: trouble, time: "2026-11-24T10:00:00Z", most: most, size: size,
            paint: Paint(isOn: false)
        ).lines
    }

    @Test("fits on any screen, the most important first")
    func fits() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            _ = try await stage.command("pause", "--reason", String(repeating: "a long story ", count: 40))
            try await stage.run(
                "INSERT INTO subscriber_sync.subscriber (user_key, standing) SELECT i::text, s FROM unnest(ARRAY["
                    + "'unsynced','synced','retrying','rejected','held','out_of_scope','deleted']) s, "
                    + "generate_series(1, 3) i ON CONFLICT DO NOTHING; "
                    + "INSERT INTO users (email) SELECT 'u' || i FROM generate_series(1, 120) i")
            let status = try await Self.status(in: stage)
            for size in [
                TerminalSize.usual, TerminalSize(columns: 40, rows: 10), TerminalSize(columns: 200, rows: 60),
                TerminalSize(columns: 12, rows: 3),
            ] {
                let lines = Self.frame(status, trouble: "The database is gone.", most: 200, size)
                #expect(lines.count <= size.rows, "\(size)")
                #expect(lines.allSatisfy { $0.count <= size.columns }, "\(size): \(lines)")
            }
            let lines = Self.frame(status, most: 200)
            #expect(lines[2].hasPrefix("health   paused by an operator: a long story"))
            #expect(lines.contains { $0.contains("[################") && $0.contains("40 %  80 of 200") }, "\(lines)")
            #expect(!lines.contains("…"), "at 80×24 nothing is left out")
        }
    }

    @Test("shows a database that doesn't answer above what was known last")
    func trouble() async throws {
        #expect(Self.frame(nil)[2] == "asking …")
        let lines = Self.frame(nil, trouble: "Could not connect.")
        #expect(lines[2] == "database  Could not connect." && !lines.contains("asking …"))
    }

    @Test("overwrites each line in place, and clears nothing before it")
    func overwrites() {
        let text = Screen.frame(["one", "two"])
        #expect(text == "\u{1B}[?2026h\u{1B}[Hone\u{1B}[K\r\ntwo\u{1B}[K\u{1B}[J\u{1B}[?2026l")
    }

    @Test("breaks a sentence at its blanks")
    func wraps() {
        #expect(StatusFrame.wrapped("one two three four", width: 9, lines: 3) == ["one two", "three", "four"])
        #expect(StatusFrame.wrapped("one two three four", width: 9, lines: 2) == ["one two", "three…"])
        #expect(StatusFrame.wrapped("", width: 9, lines: 2) == [""])
    }

    @Test("is coloured only where that is wanted")
    func colours() {
        #expect(Paint(isOn: true).green("ok") == "\u{1B}[32mok\u{1B}[0m")
        #expect(Paint(isOn: false).green("ok") == "ok")
    }
}
