/// How a sandbox is started.
public struct SandboxOptions: Sendable {
    /// Whose requests are let in.
    public enum Credentials: Sendable, Hashable {
        /// Any project id with any API token, both not empty: for trying things out.
        case anyNonEmpty
        /// Exactly this pair, as SignalWire has it; everybody else gets a 401.
        case pair(projectID: String, apiToken: String)
    }

    /// The TCP port on 127.0.0.1; 0 takes a free one. The sandbox listens nowhere else.
    public var port: Int
    public var credentials: Credentials
    /// What goes wrong from the start; ``Sandbox/setFaults(_:)`` and the control endpoint replace it.
    public var faults: [Fault]

    public init(port: Int = 0, credentials: Credentials = .anyNonEmpty, faults: [Fault] = []) {
        self.port = port
        self.credentials = credentials
        self.faults = faults
    }
}

/// Why a sandbox could not start: one sentence and what to do about it.
public struct SandboxError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public let hint: String

    public var description: String { "\(message) \(hint)" }
}
