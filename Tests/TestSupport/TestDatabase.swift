import Postgres

/// A database of one test, on the test's server.
public struct TestDatabase: Sendable {
    public let name: String
    /// By the Unix socket, as the superuser.
    public let dsn: String
    /// By TCP on loopback.
    public let tcpDSN: String
    private let server: PostgresServer

    init(name: String, dsn: String, tcpDSN: String, server: PostgresServer) {
        self.name = name
        self.dsn = dsn
        self.tcpDSN = tcpDSN
        self.server = server
    }

    /// Settings for the database, to be changed at will.
    public var settings: ConnectionSettings { ConnectionSettings(dsn: dsn, applicationName: "subscriber-sync tests") }

    /// Removes it, and whoever is connected.
    public func drop() async throws {
        try await server.administer("DROP DATABASE IF EXISTS \(quoteIdentifier(name)) WITH (FORCE)")
    }
}

/// Runs the body with a database of its own on the shared server.
///
/// - Parameter template: the name of a database to copy, to which nobody may be connected.
public func withDatabase<Result>(
    template: String? = nil, _ body: (TestDatabase) async throws -> Result
) async throws -> Result {
    let database = try await PostgresServer.shared().createDatabase(template: template)
    do {
        let result = try await body(database)
        try await database.drop()
        return result
    } catch {
        try? await database.drop()
        throw error
    }
}
