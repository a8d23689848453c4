import Foundation

/// The folder of one server: its data, its socket and its log, and how they are laid out.
struct PostgresServerFolder: Sendable {
    /// Short, because the path of a Unix socket may have about 100 characters.
    let path: String
    let port: Int
    let programs: PostgresServerPrograms

    var data: String { "\(path)/data" }
    var socketFolder: String { path }

    static func make(_ programs: PostgresServerPrograms) throws -> PostgresServerFolder {
        var template = Array("\(base())/ss-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestSupportError("There is no temporary folder for a server.") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = PostgresServerFolder(path: path, port: try freePort(), programs: programs)
        if let user = programs.user { try folder.give(to: user) }
        return folder
    }

    /// In memory where there is room: every database is some megabytes of files that nobody wants to keep,
    /// and a disk that is busy with them makes the tests wait for many times as long as they take.
    private static func base() -> String {
        let memory = "/dev/shm"
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: memory)
        let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
        let hasRoom = free > 2_000_000_000 && FileManager.default.isWritableFile(atPath: memory)
        return hasRoom ? memory : "/tmp"
    }

    private func give(to user: String) throws {
        guard let entry = getpwnam(user), chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
            throw TestSupportError("The server's folder could not be given to \(user).")
        }
    }

    /// Makes the database cluster. Nothing is synced to disk: it lives as long as the test.
    func initialize(configuration: [String: String]) async throws {
        try await programs.run(
            "initdb",
            [
                "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                "--no-instructions",
            ])
        let settings = standardConfiguration.merging(configuration) { _, given in given }
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key) = '\($0.value)'\n" }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(data)/postgresql.conf"))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(lines.joined().utf8))
    }

    private var standardConfiguration: [String: String] {
        [
            "listen_addresses": "127.0.0.1",
            "port": String(port),
            "unix_socket_directories": socketFolder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "max_prepared_transactions": "0",
            "shared_buffers": "64MB",
            "autovacuum_naptime": "1h",
            "log_min_messages": "warning",
        ]
    }

    /// A port that nobody has now. Somebody may take it before the server does; then starting it fails.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else { throw TestSupportError("There is no free port for a server.") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
