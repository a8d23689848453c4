/// How SignalWire is reached, by whom, and within which limits. Prints without credentials.
public struct SignalWireSettings: Sendable {
    /// Where the API is.
    public var space: Space
    /// The user name of HTTP Basic.
    public var projectID: String
    /// The password of HTTP Basic: a secret.
    public var apiToken: String
    /// Sent with each call where it is set: the application that minted tokens belong to.
    public var applicationID: String?
    /// How long the token lives that every sync mints and nobody wants. Short is good.
    public var tokenTTL: Duration
    /// The deadline of one call, connecting and reading included. Keep it below the lease.
    public var timeout: Duration
    /// How many connections are open at most: the agent's concurrency.
    public var connections: Int
    /// What the `User-Agent` names after `subscriber-sync/`.
    public var version: String

    public init(
        space: Space, projectID: String, apiToken: String, applicationID: String? = nil,
        tokenTTL: Duration = .seconds(300), timeout: Duration = .seconds(15), connections: Int = 32,
        version: String = "dev"
    ) {
        self.space = space
        self.projectID = projectID
        self.apiToken = apiToken
        self.applicationID = applicationID
        self.tokenTTL = tokenTTL
        self.timeout = timeout
        self.connections = connections
        self.version = version
    }
}

extension SignalWireSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "‹SignalWire settings for \(space)›" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
