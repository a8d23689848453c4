import Foundation
import Glibc
import Postgres
import Testing

/// The real PgBouncer in front of a test server, in transaction mode unless another is asked for.
///
/// Its configuration is the default one but for what names the place, the mode and the size of the pools, so
/// what it refuses here, such as the startup parameter `options`, it refuses in the field. Each database and
/// role has a pool of its own; with fewer connections than clients, these share them from transaction to
/// transaction.
public struct PgBouncer: Sendable {
    /// Where its program is, besides the folders of `PATH`: Debian keeps it out of most users'.
    private static let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
    private static let pidFile = "pgbouncer.pid"

    private let folder: PostgresServerFolder
    private let watchdog: PostgresServerWatchdog

    /// The port on 127.0.0.1.
    public var port: Int { folder.port }

    /// The connection string of a database of the server, by way of the pool.
    ///
    /// - Parameter user: one of those that it was started with.
    public func dsn(of database: TestDatabase, user: String = "postgres") -> String {
        dsn(of: database.name, user: user)
    }

    /// Settings for a database of the server, by way of the pool, to be changed at will.
    public func settings(for database: TestDatabase) -> ConnectionSettings {
        ConnectionSettings(dsn: dsn(of: database), applicationName: "subscriber-sync tests")
    }

    private func dsn(of database: String, user: String) -> String {
        "postgresql://\(user)@127.0.0.1:\(port)/\(database)"
    }
}

/// Runs the body with a PgBouncer of its own, which ends with it.
///
/// - Parameters:
///   - server: one of ours, not that of `TEST_DATABASE_URL`; the trait `inFrontOfOwnServer` tells them apart.
///   - poolSize: how many connections to the server the clients of one database and role share.
///   - mode: for how long a client keeps a connection to the server: `transaction`, `session` or `statement`.
///   - users: the roles that may connect; nobody needs a password.
public func withPgBouncer<Result>(
    inFrontOf server: PostgresServer, poolSize: Int = 2, mode: String = "transaction", users: [String] = ["postgres"],
    _ body: (PgBouncer) async throws -> Result
) async throws -> Result {
    let bouncer = try await PgBouncer.start(inFrontOf: server, poolSize: poolSize, mode: mode, users: users)
    do {
        let result = try await body(bouncer)
        await bouncer.stop()
        return result
    } catch {
        await bouncer.stop()
        throw error
    }
}

extension PgBouncer {
    fileprivate static func start(
        inFrontOf server: PostgresServer, poolSize: Int, mode: String, users: [String]
    ) async throws -> PgBouncer {
        guard let socketFolder = server.socketFolder, let port = server.port else {
            throw TestSupportError("PgBouncer is put in front of a server of the tests' own only.")
        }
        let program = try find()
        let folder = try PostgresServerFolder.make(await .find())
        let bouncer = PgBouncer(
            folder: folder,
            watchdog: try PostgresServerWatchdog(folder: folder.path, pidFile: pidFile, signal: "KILL"))
        try bouncer.configure(target: "host=\(socketFolder) port=\(port)", poolSize: poolSize, mode: mode, users: users)
        try await folder.programs.runAsUser([program, "-d", "\(folder.path)/pgbouncer.ini"])
        do {
            try await bouncer.waitUntilItAnswers(to: users.first ?? "postgres")
        } catch {
            await bouncer.stop()
            throw error
        }
        return bouncer
    }

    private static func find() throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let candidates = (path.split(separator: ":").map(String.init) + folders).map { "\($0)/pgbouncer" }
        guard let program = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw TestSupportError("PgBouncer is missing: install the package pgbouncer.")
        }
        return program
    }

    private func configure(target: String, poolSize: Int, mode: String, users: [String]) throws {
        let settings = """
            [databases]
            * = \(target)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir = \(folder.socketFolder)
            auth_type = trust
            auth_file = \(folder.path)/users
            pool_mode = \(mode)
            default_pool_size = \(poolSize)
            logfile = \(folder.path)/log
            pidfile = \(folder.path)/\(PgBouncer.pidFile)

            """
        try write(settings, to: "pgbouncer.ini")
        try write(users.map { "\"\($0)\" \"\"\n" }.joined(), to: "users")
    }

    /// Another user reads it where the tests run as root.
    private func write(_ text: String, to name: String) throws {
        let file = "\(folder.path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    }

    /// It is a daemon before it listens, so the end of the command doesn't tell.
    private func waitUntilItAnswers(to user: String) async throws {
        let settings = ConnectionSettings(dsn: dsn(of: "postgres", user: user), applicationName: "pool's test")
        let deadline = ContinuousClock.now.advanced(by: .seconds(10))
        while true {
            do {
                return try await Connection.open(settings).close()
            } catch  where error.isConnectionLoss && ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            } catch {
                let log = (try? String(contentsOfFile: "\(folder.path)/log", encoding: .utf8)) ?? ""
                throw TestSupportError("PgBouncer does not answer: \(error)\n\(log.suffix(2000))")
            }
        }
    }

    /// Ends it at once, with its clients' connections. The watchdog removes the folder, and would end it, too.
    ///
    /// It has nothing to lose, and no other signal means "at once" in all its versions.
    func stop() async {
        guard let text = try? String(contentsOfFile: "\(folder.path)/\(PgBouncer.pidFile)", encoding: .utf8),
            let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 1
        else { return }
        kill(process, SIGKILL)
        // Its number stays until somebody has asked how it ended, its program doesn't.
        for _ in 0..<200 where FileManager.default.fileExists(atPath: "/proc/\(process)/exe") {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that put a pooler in front of the shared server, which can't be done where it is not ours.
    public static var inFrontOfOwnServer: Self {
        .enabled("The server of TEST_DATABASE_URL is not ours.") { try await PostgresServer.shared().port != nil }
    }
}
