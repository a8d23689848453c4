import ArgumentParser
import SignalWireSandbox

/// `subscriber-sync sandbox`
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "A local stand-in for SignalWire's subscriber endpoints, on loopback.",
        discussion: """
            The first line on stdout is `listening on http://127.0.0.1:PORT`. It accepts the SIGNALWIRE_PROJECT_ID and \
            SIGNALWIRE_API_TOKEN of its environment, or any non-empty pair without them. What it holds is at \
            /__sandbox/state, where a POST of [{"reference": "ada@example.com", "profile": {"first_name": "Ada"}}] puts \
            subscribers as if others had made them; it forgets everything when it ends.

            Examples:
              subscriber-sync sandbox --port 8080
              subscriber-sync sandbox --fault status=429,retry-after=2,count=3 --fault latency=50
            """)

    @Option(help: "The port; 0: a free one.")
    var port = 0

    @Option(help: "A fault to play, such as status=500,count=3; may be repeated.")
    var fault: [String] = []

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port must be from 0 to 65535.") }
    }

    func run() async throws {
        try await SandboxLaunch.run(port: port, faults: fault) { url in Terminal.out("listening on \(url)\n") }
    }
}
