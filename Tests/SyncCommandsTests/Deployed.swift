import Foundation

/// What lies in `deploy/`, and programs that tests run beside the product.
enum Deployed {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy")

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    static func has(_ program: String) -> Bool { location(of: program) != nil }

    static func location(of program: String) -> String? {
        ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"].map { "\($0)/\(program)" }
            .first(where: FileManager.default.isExecutableFile(atPath:))
    }

    /// Runs a program to its end.
    ///
    /// - Returns: its code, and what it wrote to either stream.
    static func run(
        _ program: String, _ arguments: [String], _ environment: [String: String] = [:]
    ) async throws -> (status: Int32, text: String) {
        let files = try CommandRun.Scratch()
        defer { files.remove() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: location(of: program) ?? program)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let out = try FileHandle(forWritingTo: files.out)
        process.standardOutput = out
        process.standardError = out
        let exit = files.exit
        process.terminationHandler = { exit.yield($0.terminationStatus) }
        try process.run()
        var status: Int32 = -1
        for await code in files.exits {
            status = code
            break
        }
        return (status, try String(contentsOf: files.out, encoding: .utf8))
    }
}
