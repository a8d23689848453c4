import Foundation
import TestSupport
import Testing

@Suite("The systemd unit") struct UnitFileTests {
    static func withUnit(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "unit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "subscriber-sync.service")
        let text = try Deployed.text("subscriber-sync.service")
        #expect(text.contains("ExecStart=/usr/bin/subscriber-sync run\n"))
        try text.replacing("/usr/bin/subscriber-sync", with: CommandRun.program)
            .write(to: file, atomically: true, encoding: .utf8)
        try await body(file.path)
    }

    @Test(
        "is understood by systemd, and leaves a program little to do harm with",
        .enabled("systemd is not here.") { Deployed.has("systemd-analyze") })
    func verifies() async throws {
        try await Self.withUnit { unit in
            let verified = try await Deployed.run("systemd-analyze", ["verify", "--man=no", unit])
            #expect(verified.status == 0 && verified.text.isEmpty, "\(verified.text)")
            // From 0, locked up, to 100; below 20 it says OK with a smile.
            let security = try await Deployed.run(
                "systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=20", unit])
            #expect(security.status == 0, "\(security.text)")
        }
    }

    @Test("gives a stop the time that a call may take, and the watchdog more than a loop is allowed to be silent")
    func times() throws {
        let text = try Deployed.text("subscriber-sync.service")
        #expect(text.contains("Type=notify\n") && text.contains("WatchdogSec=3min\n"))
        #expect(text.contains("TimeoutStopSec=45\n") && text.contains("RestartPreventExitStatus=78\n"))
    }
}
