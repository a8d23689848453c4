import Logging
import ServiceLifecycle
import SignalWireSandbox
import UnixSignals

/// Starts the sandbox as its command asks for it.
enum SandboxLaunch {
    /// Runs it until SIGTERM or SIGINT.
    ///
    /// - Parameter isListening: is told the address once requests are taken.
    static func run(port: Int, faults: [String], isListening: (String) -> Void) async throws {
        let sandbox = try await start(port: port, faults: faults)
        isListening(sandbox.url)
        var quiet = Logger(label: "subscriber-sync.sandbox")
        quiet.logLevel = .critical
        try await ServiceGroup(
            services: [sandbox], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet
        ).run()
    }

    private static func start(port: Int, faults: [String]) async throws(Failure) -> Sandbox {
        let options = SandboxOptions(
            port: port, credentials: credentials(SettingsLoader.ofThisProcess.environment), faults: try parsed(faults))
        do {
            return try await Sandbox.start(options)
        } catch {
            throw Failure(.unavailable, error.message, hint: error.hint)
        }
    }

    private static func parsed(_ lines: [String]) throws(Failure) -> [Fault] {
        var faults: [Fault] = []
        for line in lines {
            do {
                faults.append(try Fault(parsing: line))
            } catch {
                throw Failure(.usage, "--fault: \(error.message)", hint: error.hint)
            }
        }
        return faults
    }

    /// The pair of the environment, or any.
    private static func credentials(_ environment: [String: String]) -> SandboxOptions.Credentials {
        guard let project = environment["SIGNALWIRE_PROJECT_ID"], let token = environment["SIGNALWIRE_API_TOKEN"],
            !project.isEmpty, !token.isEmpty
        else { return .anyNonEmpty }
        return .pair(projectID: project, apiToken: token)
    }
}
