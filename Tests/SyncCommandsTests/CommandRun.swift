import Foundation
import Postgres
import SignalWireSandbox
import TestSupport

/// Runs the product itself, as its users do.
struct CommandRun: Sendable {
    let status: Int32
    let out: String
    let err: String

    /// The built program; beside the tests' own bundle.
    static let program: String = {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        return folder.appending(path: "subscriber-sync").path
    }()

    /// Runs it to its end.
    static func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> CommandRun {
        try await Running.start(arguments, environment).finish()
    }

    /// A program that is running.
    final class Running: Sendable {
        let pid: pid_t
        private let files: Scratch

        private init(pid: pid_t, files: Scratch) {
            self.pid = pid
            self.files = files
        }

        static func start(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Running {
            let files = try Scratch()
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            // Nothing of the developer's own environment may decide a test.
            process.environment = ["PATH": "/usr/bin:/bin", "OPERATIONS_LISTEN": ""].merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: files.out)
            process.standardError = try FileHandle(forWritingTo: files.err)
            let exit = files.exit
            process.terminationHandler = { exit.yield($0.terminationStatus) }
            try process.run()
            return Running(pid: process.processIdentifier, files: files)
        }

        var out: String { (try? String(contentsOf: files.out, encoding: .utf8)) ?? "" }
        var err: String { (try? String(contentsOf: files.err, encoding: .utf8)) ?? "" }

        func send(_ signal: Int32) { kill(pid, signal) }

        func finish() async throws -> CommandRun {
            var status: Int32 = -1
            for await code in files.exits {
                status = code
                break
            }
            defer { files.remove() }
            return CommandRun(status: status, out: out, err: err)
        }
    }

    /// Where the output goes: files, because a pipe that nobody reads would stop the program.
    struct Scratch: Sendable {
        let folder: URL
        let exits: AsyncStream<Int32>
        let exit: AsyncStream<Int32>.Continuation

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "command-\(UUID().uuidString)")
            (exits, exit) = AsyncStream.makeStream()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for file in [out, err] { try Data().write(to: file) }
        }

        var out: URL { folder.appending(path: "out") }
        var err: URL { folder.appending(path: "err") }
        func remove() { try? FileManager.default.removeItem(at: folder) }
    }
}

/// A database with a users table, a sandbox, and the settings that name both; nothing is migrated yet.
struct Stage: Sendable {
    let database: TestDatabase
    let session: Session
    let sandbox: Sandbox

    static func run(
        table: String = Fixture.usersTable, faults: [String] = [], _ body: @Sendable (Stage) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            let session = Session(ConnectionSettings(dsn: database.dsn, applicationName: "application"))
            try await session.executeScript("SET search_path = public; \(table)", name: "table")
            let sandbox = try await Sandbox.start(SandboxOptions(faults: try faults.map(Fault.init(parsing:))))
            do {
                try await body(Stage(database: database, session: session, sandbox: sandbox))
            } catch {
                await sandbox.stop()
                await session.close()
                throw error
            }
            await sandbox.stop()
            await session.close()
        }
    }

    var environment: [String: String] {
        [
            "DATABASE_URL": database.dsn, "SIGNALWIRE_SPACE": sandbox.url, "SIGNALWIRE_PROJECT_ID": "planted-project",
            "SIGNALWIRE_API_TOKEN": "planted-api-token", "SOURCE_TABLE": "public.users", "SOURCE_KEY": "id",
            "SOURCE_REFERENCE": "email", "SOURCE_WHERE": "deleted_at IS NULL", "SOURCE_FIELDS_FIRST_NAME": "first_name",
            "SOURCE_FIELDS_JOB_TITLE": "title", "SOURCE_FIELDS_TIME_ZONE": "time_zone", "DELIVERY_RATE": "0",
            "DELIVERY_LEASE": "20s", "LIMITS_NEW_SUBSCRIBERS": "-1",
        ]
    }

    func command(_ arguments: String..., changing: [String: String] = [:]) async throws -> CommandRun {
        try await CommandRun.run(arguments, environment.merging(changing) { $1 })
    }

    func start(_ arguments: String..., changing: [String: String] = [:]) throws -> CommandRun.Running {
        try CommandRun.Running.start(arguments, environment.merging(changing) { $1 })
    }

    func run(_ sql: String) async throws { try await session.executeScript(sql, name: "test") }

    func value(_ sql: String) async throws -> String? {
        try await session.query(
            Statement<String?>("test", sql) { row throws(PostgresError) in try row.optionalText(0) }
        ).first ?? nil
    }

    func hasSynced(_ count: Int) async throws -> Bool {
        try await value("SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'synced'") == String(count)
    }
}
