/// Another program than ours: what it sees, the application that shares a pool with us sees.
public enum PlainClient {
    /// Runs psql, which sets nothing by itself.
    ///
    /// - Returns: what it prints: one row a line, columns separated by bars.
    public static func ask(_ dsn: String, _ sql: String) async throws -> String {
        try await PostgresServerPrograms.output(
            of: ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", sql])
    }
}
