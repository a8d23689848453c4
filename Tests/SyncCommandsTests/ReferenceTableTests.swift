import Foundation
import TestSupport
import Testing

@testable import SyncCommands

/// Tables of the documentation that list what the program has, held against it.
@Suite("The tables of reference") struct ReferenceTableTests {
    /// The flags that each command has for its settings, and that the README explains once for all.
    private static let shared: Set = ["--config", "--database-url", "--space", "--set", "--help", "--version"]

    @Test("in the README name each command with all of its flags, and no other")
    func commands() async throws {
        let table = try #require(try Page.readme().table("command", "does"))
        var listed: [String: Set<String>] = [:]
        for row in table.rows {
            let usages = Page.words(in: row[0])
            for usage in usages {
                // Where a row is about one command, its text is, too.
                let flags = (usages.count == 1 ? row.joined(separator: " ") : usage).matches(of: #/--[a-z-]+/#)
                listed[String(usage.prefix { $0 != " " }), default: []].formUnion(flags.map { String($0.0) })
            }
        }
        let commands = try await CommandTree.read().mapValues { $0.subtracting(Self.shared) }
        #expect(Set(listed.keys).symmetricDifference(commands.keys) == [])
        for (command, flags) in commands { #expect(listed[command] == flags, "\(command)") }
    }

    @Test("in the README say the default of each setting")
    func defaults() throws {
        let table = try #require(try Page.readme().table("key", "default", "meaning"))
        // What holds where nothing is set, in words.
        let inWords = ["required", "everybody", "the table", "at least one", "none"]
        var count = 0
        for row in table.rows {
            let key = Page.words(in: row[0]).joined()
            let definition = SettingTable.definition(at: key)
            let standard = definition?.standardText ?? ""
            if inWords.contains(row[1]) {
                #expect(standard.isEmpty || standard == "[]", "\(key)")
            } else {
                #expect(row[1] == "`\(standard)`", "\(key)")
                count += 1
            }
        }
        #expect(count > 25)
    }

    @Test("of exit codes have each code, in the README and on the page of codes")
    func exitCodes() throws {
        let codes = Set(Failure.Code.allCases.map { String($0.rawValue) })
        let doctors: Set = ["0", "1", "2"]
        let readme = try #require(try Page.readme().table("exit code", "means"))
        let page = try #require(try Page.named("Codes").table("code", "means", "what to do"))
        for table in [readme, page] {
            let listed = table.rows.flatMap { $0[0].components(separatedBy: ", ") }
            #expect(Set(listed) == codes.union(doctors) && listed.count == Set(listed).count, "\(table.header)")
        }
    }

    @Test("of examinations name each check of doctor, and no other")
    func checks() async throws {
        let table = try #require(try Page.named("Doctor").table("name", "fails or warns where"))
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let run = try await stage.command("doctor", "--format", "json")
            let report = try JSONDecoder().decode(DoctorTests.Report.self, from: Data(run.out.utf8))
            let names = report.checks.map(\.name)
            #expect(Set(table.rows.flatMap { Page.words(in: $0[0]) }) == Set(names))
            #expect(names.count > 30 && names.count == Set(names).count)
        }
    }

    @Test("and pages name pictures and pages that are there")
    func links() throws {
        var count = 0
        for page in try Page.all() {
            let folder = URL(filePath: page.name, relativeTo: Page.root).deletingLastPathComponent()
            let files = page.text.matches(of: #/\]\(([^)#:]+\.(?:svg|md))\)/#).map { String($0.1) }
            let documents = page.text.matches(of: #/<doc:([^>]+)>/#).map { "\($0.1).md" }
            for file in files + documents {
                #expect(
                    FileManager.default.fileExists(atPath: folder.appending(path: file).path), "\(page.name): \(file)")
                count += 1
            }
        }
        #expect(count > 60)
    }
}
