import Foundation
import Testing

@testable import SignalWireSandbox

/// The Python interpreter that has SignalWire's SDK, where there is one.
private let python = ProcessInfo.processInfo.environment["SUBSCRIBER_SYNC_PYTHON_SDK"]

@Suite("SignalWire's Python SDK")
struct PythonSDKTests {
    @Test(
        "The official SDK works against the sandbox unchanged",
        .enabled(if: python != nil, "SUBSCRIBER_SYNC_PYTHON_SDK names no Python interpreter"))
    func worksUnchanged() async throws {
        let interpreter = try #require(python)
        let options = SandboxOptions(credentials: .pair(projectID: "project", apiToken: "token"))
        try await withSandbox(options) { sandbox, _ in
            let (status, output) = try await run(interpreter, against: sandbox)
            #expect(status == 0, "\(output)")
            #expect(output.hasSuffix("all ok\n"), "\(output)")
            #expect(sandbox.statistics().overlaps == 0)
        }
    }

    /// Runs `check.py` and returns its exit code and everything that it printed.
    private func run(_ interpreter: String, against sandbox: Sandbox) async throws -> (Int32, String) {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "PythonSDK/check.py")
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: interpreter)
        process.arguments = [script.path()]
        process.environment = [
            "SIGNALWIRE_SPACE": "127.0.0.1:\(sandbox.port)", "SIGNALWIRE_PROJECT_ID": "project",
            "SIGNALWIRE_API_TOKEN": "token", "EXPECT_STRICT_CREDENTIALS": "1", "PYTHONDONTWRITEBYTECODE": "1",
        ]
        process.standardOutput = output
        process.standardError = output
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try process.run()
                        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                        process.waitUntilExit()
                        return (process.terminationStatus, text)
                    })
            }
        }
    }
}
