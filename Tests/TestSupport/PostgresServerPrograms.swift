import Foundation

/// A failure of the test's surroundings, not of what is tested.
public struct TestSupportError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// PostgreSQL's own programs, run as somebody whom PostgreSQL accepts.
struct PostgresServerPrograms: Sendable {
    /// The folder with `initdb`, `pg_ctl` and `postgres`.
    let folder: String
    /// PostgreSQL refuses to run as root; then this user runs it. `nil`: whoever runs the test.
    let user: String?

    /// Takes those of the folder that `TEST_POSTGRES_BIN` names, and no others; without it, looks where Debian
    /// puts them (the newest version), where `pg_config` says, and in `PATH`.
    static func find() async throws -> PostgresServerPrograms {
        let user = getuid() == 0 ? (getpwnam("postgres") != nil ? "postgres" : "nobody") : nil
        if let named = ProcessInfo.processInfo.environment["TEST_POSTGRES_BIN"], !named.isEmpty {
            guard isComplete(named) else {
                throw TestSupportError("TEST_POSTGRES_BIN names \(named), where initdb, pg_ctl or postgres is missing.")
            }
            return PostgresServerPrograms(folder: named, user: user)
        }
        for folder in await candidates() where isComplete(folder) {
            return PostgresServerPrograms(folder: folder, user: user)
        }
        throw TestSupportError("PostgreSQL's server programs are missing: install the package postgresql.")
    }

    private static func candidates() async -> [String] {
        let base = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        let newestFirst = versions.sorted { $0.compare($1, options: .numeric) == .orderedDescending }
        let configured = try? await output(of: ["pg_config", "--bindir"])
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return newestFirst.map { "\(base)/\($0)/bin" } + [configured].compactMap { $0 }
            + path.split(separator: ":").map(String.init)
    }

    private static func isComplete(_ folder: String) -> Bool {
        ["initdb", "pg_ctl", "postgres"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
        }
    }

    /// Runs one of the programs to its end.
    func run(_ program: String, _ arguments: [String]) async throws {
        try await runAsUser(["\(folder)/\(program)"] + arguments)
    }

    /// Runs any command to its end, as the user who runs the server.
    func runAsUser(_ command: [String]) async throws {
        _ = try await PostgresServerPrograms.output(of: asUser(command))
    }

    private func asUser(_ command: [String]) -> [String] {
        guard let user else { return command }
        let setpriv = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--"]
        let hasSetpriv = FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")
        return (hasSetpriv ? setpriv : ["runuser", "-u", user, "--"]) + command
    }

    /// What a command prints. It goes through a file: a server that it starts would keep a pipe open.
    static func output(of command: [String]) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let status = try await PostgresServerProcess.run(command, output: file.path)
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        guard status == 0 else {
            throw TestSupportError(
                "\(command.joined(separator: " ")) failed with status \(status): \(text.suffix(2000))")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
