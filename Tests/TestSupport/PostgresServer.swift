import Foundation
import Postgres
import Synchronization

/// A PostgreSQL server for tests.
///
/// The shared one is started when it is first asked for, once in a test process; tests that stop or
/// configure a server start their own. All go with the process. `TEST_DATABASE_URL` names a server to
/// be used as the shared one instead: a superuser's connection to any database of it.
public final class PostgresServer: Sendable {
    /// `nil` for a server that is not ours.
    private let folder: PostgresServerFolder?
    private let watchdog: PostgresServerWatchdog?
    /// The connection string of the database from which others are made.
    private let administration: String
    private let session: Session
    private static let counter = Atomic(0)

    private static let sharedServer = Task { () async throws -> PostgresServer in
        if let url = ProcessInfo.processInfo.environment["TEST_DATABASE_URL"], !url.isEmpty {
            return PostgresServer(administration: url)
        }
        return try await PostgresServer.start()
    }

    /// The server of this test process.
    public static func shared() async throws -> PostgresServer { try await sharedServer.value }

    /// Starts a server of one's own.
    ///
    /// - Parameter extraConfiguration: lines of `postgresql.conf`, such as `wal_level: logical`.
    public static func start(extraConfiguration: [String: String] = [:]) async throws -> PostgresServer {
        let folder = try PostgresServerFolder.make(await .find())
        let server = PostgresServer(folder: folder, watchdog: try PostgresServerWatchdog(folder: folder.path))
        try await folder.initialize(configuration: extraConfiguration)
        try await server.start()
        return server
    }

    private init(folder: PostgresServerFolder, watchdog: PostgresServerWatchdog) {
        self.folder = folder
        self.watchdog = watchdog
        administration = PostgresServer.dsn(of: "postgres", in: folder)
        session = PostgresServer.session(administration)
    }

    private init(administration: String) {
        folder = nil
        watchdog = nil
        self.administration = administration
        session = PostgresServer.session(administration)
    }

    private static func session(_ dsn: String) -> Session {
        Session(ConnectionSettings(dsn: dsn, applicationName: "subscriber-sync test administration"))
    }

    /// The port on 127.0.0.1; `nil` for a server that is not ours.
    public var port: Int? { folder?.port }

    /// Where the Unix socket is; `nil` for a server that is not ours.
    public var socketFolder: String? { folder?.socketFolder }
}

extension PostgresServer {
    /// How PostgreSQL goes down (its documentation, "Shutting Down the Server").
    public enum StopMode: String, Sendable {
        /// Ends the connections and writes everything down.
        case fast
        /// As a crash does.
        case immediate
    }

    public func start() async throws {
        let folder = try owned()
        try await folder.programs.run(
            "pg_ctl", ["-D", folder.data, "-l", "\(folder.path)/log", "-w", "-t", "60", "-s", "start"])
    }

    public func stop(mode: StopMode = .fast) async throws {
        let folder = try owned()
        try await folder.programs.run("pg_ctl", ["-D", folder.data, "-m", mode.rawValue, "-w", "-s", "stop"])
    }

    public func restart(mode: StopMode = .fast) async throws {
        try await stop(mode: mode)
        try await start()
    }

    private func owned() throws -> PostgresServerFolder {
        guard let folder else { throw TestSupportError("The server of TEST_DATABASE_URL is not ours to stop.") }
        return folder
    }
}

extension PostgresServer {
    /// Makes a database with a name that nobody has.
    ///
    /// - Parameter template: the name of a database to copy, to which nobody may be connected.
    public func createDatabase(template: String? = nil) async throws -> TestDatabase {
        let number = PostgresServer.counter.add(1, ordering: .relaxed).newValue
        let name = "test_\(ProcessInfo.processInfo.processIdentifier)_\(number)"
        let copy = template.map { " TEMPLATE \(quoteIdentifier($0))" } ?? ""
        try await administer("CREATE DATABASE \(quoteIdentifier(name))\(copy)")
        return database(named: name)
    }

    /// Makes another database of a dump of this one, as a backup is restored or staging is filled.
    public func restoreDump(of database: TestDatabase) async throws -> TestDatabase {
        let folder = try owned()
        let copy = try await createDatabase()
        let file = "\(folder.path)/\(copy.name).dump"
        try await folder.programs.run("pg_dump", ["-Fc", "-f", file, "-d", database.dsn])
        try await folder.programs.run("pg_restore", ["--exit-on-error", "-d", copy.dsn, file])
        return copy
    }

    /// The database of that name, whether it exists or not.
    public func database(named name: String) -> TestDatabase {
        guard let folder else {
            let dsn = PostgresServer.dsn(of: name, insteadOf: administration)
            return TestDatabase(name: name, dsn: dsn, tcpDSN: dsn, server: self)
        }
        return TestDatabase(
            name: name, dsn: PostgresServer.dsn(of: name, in: folder),
            tcpDSN: "postgresql://postgres@127.0.0.1:\(folder.port)/\(name)", server: self)
    }

    /// Runs one command that belongs to no database. After a restart of the server its first attempt finds
    /// the old connection gone.
    func administer(_ command: String) async throws {
        do {
            try await session.executeScript(command, name: "administration")
        } catch  where error.isConnectionLoss {
            try await session.executeScript(command, name: "administration")
        }
    }

    private static func dsn(of database: String, in folder: PostgresServerFolder) -> String {
        "postgresql:///\(database)?host=\(folder.socketFolder)&port=\(folder.port)&user=postgres"
    }

    /// In both forms of a connection string, the option that comes later wins.
    private static func dsn(of database: String, insteadOf dsn: String) -> String {
        guard dsn.contains("://") else { return "\(dsn) dbname='\(database)'" }
        return dsn + (dsn.contains("?") ? "&" : "?") + "dbname=\(database)"
    }
}
