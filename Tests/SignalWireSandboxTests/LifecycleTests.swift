import Logging
import ServiceLifecycle
import Testing

@testable import SignalWireSandbox

@Suite("Starting and stopping")
struct LifecycleTests {
    @Test("Port 0 takes a free port, and the URL names it")
    func takesFreePorts() async throws {
        try await withSandbox { first, client in
            try await withSandbox { second, _ async throws in
                #expect(first.port != second.port)
                #expect(first.url == "http://127.0.0.1:\(first.port)")
                #expect(try await client.mint(#"{"reference":"a"}"#).status == 200)
                #expect(second.snapshot().isEmpty)
            }
        }
    }

    @Test("A port that is taken, and one that is none, is refused with a sentence and a hint")
    func refusesTakenPorts() async throws {
        try await withSandbox { sandbox, _ in
            for port in [sandbox.port, -1, 65_536] {
                let error = await #expect(throws: SandboxError.self) {
                    _ = try await Sandbox.start(SandboxOptions(port: port))
                }
                #expect(error?.message.contains(String(port)) == true)
                #expect(error?.hint.isEmpty == false)
            }
        }
    }

    @Test("A stopped sandbox has given its port back, and stopping twice is no harm")
    func stops() async throws {
        let sandbox = try await Sandbox.start()
        await sandbox.stop()
        await sandbox.stop()
        let next = try await Sandbox.start(SandboxOptions(port: sandbox.port))
        #expect(next.port == sandbox.port)
        await next.stop()
    }

    @Test("Stopping ends a hang, cuts latency short and drops what would be applied late")
    func stopsInTheMiddle() async throws {
        let faults = [
            Fault(.hang(), reference: "hang"), Fault(.latency, latencyMilliseconds: 60_000, reference: "slow"),
            Fault(.lateApply(afterMilliseconds: 60_000), reference: "late"),
        ]
        let sandbox = try await Sandbox.start(SandboxOptions(faults: faults))
        let client = SandboxClient(port: sandbox.port)
        async let hang = client.send("POST", Route.tokensPath, #"{"reference":"hang"}"#)
        async let slow = client.mint(#"{"reference":"slow"}"#)
        async let late = client.send("POST", Route.tokensPath, #"{"reference":"late"}"#)
        #expect(try await eventually { sandbox.statistics().faults.values.reduce(0, +) == 3 })
        await sandbox.stop()
        #expect(try await hang == .cut(body: ""))
        #expect(try await slow.status == 200)
        #expect(try await late == .reset)
        #expect(sandbox.snapshot().map(\.reference) == ["slow"])
    }

    @Test("As a service it runs until its group shuts down")
    func runsAsService() async throws {
        let sandbox = try await Sandbox.start()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let group = ServiceGroup(configuration: .init(services: [sandbox], logger: logger))
        let running = Task { try await group.run() }
        #expect(try await SandboxClient(port: sandbox.port).mint(#"{"reference":"a"}"#).status == 200)
        await group.triggerGracefulShutdown()
        try await running.value
        await #expect(throws: ClientError.self) {
            try await SandboxClient(port: sandbox.port).mint(#"{"reference":"a"}"#)
        }
    }

    @Test("Cancelling its task ends it")
    func endsWhenCancelled() async throws {
        let sandbox = try await Sandbox.start()
        let running = Task { try await sandbox.run() }
        running.cancel()
        try await running.value
        await #expect(throws: ClientError.self) {
            try await SandboxClient(port: sandbox.port).mint(#"{"reference":"a"}"#)
        }
    }
}
