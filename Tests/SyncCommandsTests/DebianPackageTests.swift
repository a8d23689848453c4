import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import SyncCommands

@Suite("The Debian package", .enabled("dpkg is not here.") { Deployed.has("dpkg-deb") && Deployed.has("readelf") })
struct DebianPackageTests {
    /// A folder that packages are installed into, with a list of its own: this machine's isn't touched.
    struct Root {
        let folder: URL

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "debian-\(UUID().uuidString)")
            for part in ["root", "admin/info", "admin/updates", "admin/triggers"] {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: part), withIntermediateDirectories: true)
            }
            for file in ["admin/status", "admin/available"] { try Data().write(to: folder.appending(path: file)) }
        }

        func remove() { try? FileManager.default.removeItem(at: folder) }

        func path(_ file: String) -> String { folder.appending(path: "root\(file)").path }
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path(file)) }

        /// Builds the package of what the tests are built from.
        func build(version: String) async throws -> String {
            let manual = DebianPackageTests.hasManual ? ["--manual", DebianPackageTests.manual] : []
            let built = try await Deployed.run(
                Deployed.path("debian"),
                [
                    "--plain", "--binary", CommandRun.program, "--version", version, "--output", folder.path,
                ] + manual)
            let package = built.text.split(separator: "\n").last.map(String.init) ?? ""
            #expect(built.status == 0 && package.hasSuffix(".deb"), "\(built.text)")
            return package
        }

        /// The packages that it depends on aren't in there.
        func dpkg(_ arguments: String...) async throws {
            let run = try await Deployed.run(
                "dpkg",
                [
                    "--instdir=\(folder.path)/root", "--admindir=\(folder.path)/admin", "--force-depends",
                    "--force-script-chrootless", "--force-confold", "--force-not-root", "--log=/dev/null",
                ] + arguments)
            #expect(run.status == 0, "\(run.text)")
        }
    }

    @Test("is installed, works, is upgraded with the settings kept, removed, and purged")
    func wholeLife() async throws {
        try await Stage.run { stage in
            let root = try Root()
            defer { root.remove() }
            try await root.dpkg("--install", try await root.build(version: "0.0.1"))
            for file in [
                "/usr/bin/subscriber-sync", "/usr/lib/systemd/system/subscriber-sync.service",
                "/etc/subscriber-sync/environment", "/usr/share/subscriber-sync/grants.sql",
                "/usr/share/bash-completion/completions/subscriber-sync",
            ] { #expect(root.has(file), "\(file)") }
            #expect(root.has("/usr/share/man/man1/subscriber-sync.doctor.1.gz") == Self.hasManual)
            let secrets = try FileManager.default.attributesOfItem(
                atPath: root.path("/etc/subscriber-sync/environment"))
            #expect(secrets[.posixPermissions] as? Int == 0o600)

            let program = root.path("/usr/bin/subscriber-sync")
            for arguments in [["--version"], ["migrate"], ["run", "--until-idle"]] {
                let run = try await Deployed.run(
                    program, arguments, stage.environment.merging(["OPERATIONS_LISTEN": ""]) { $1 })
                #expect(run.status == 0, "\(run.text)")
            }

            let settings = root.path("/etc/subscriber-sync/subscriber-sync.yaml")
            try "# mine\n".write(toFile: settings, atomically: true, encoding: .utf8)
            try await root.dpkg("--install", try await root.build(version: "0.0.2"))
            #expect(try String(contentsOfFile: settings, encoding: .utf8) == "# mine\n")

            try await root.dpkg("--remove", "subscriber-sync")
            #expect(!root.has("/usr/bin/subscriber-sync") && root.has("/etc/subscriber-sync/subscriber-sync.yaml"))
            try await root.dpkg("--purge", "subscriber-sync")
            #expect(!root.has("/etc/subscriber-sync"))
        }
    }

    /// A tool of swift-argument-parser's; `deploy/debian` builds it, `swift build` may leave it out.
    static let manual = CommandRun.program.replacing("/subscriber-sync", with: "/generate-manual")
    static var hasManual: Bool { FileManager.default.isExecutableFile(atPath: manual) }

    @Test("has a manual page for each command", .enabled("generate-manual is not built.") { hasManual })
    func manuals() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "manual-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let made = try await Deployed.run(
            Self.manual, [CommandRun.program, "--multi-page", "--output-directory", folder.path])
        #expect(made.status == 0, "\(made.text)")
        let pages = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
        for command in SubscriberSync.configuration.subcommands {
            #expect(pages.contains("subscriber-sync.\(command._commandName).1"), "\(command._commandName)")
        }
        #expect(pages.contains("subscriber-sync.1"))
    }
}
