import Testing

@Suite("What lies where")
struct LayoutTests {
    static let allowed: Set<String> = [
        "Package.swift", "README.md", "LICENSE", "Sources", "Tests", "migrations", "deploy",
    ]

    @Test("nothing else lies at the top level but dot-files")
    func topLevelIsSmall() throws {
        let names = try Repository.topLevel()
        #expect(names.filter { !$0.hasPrefix(".") }.subtracting(Self.allowed) == [])
        #expect(Self.allowed.subtracting(names) == [])
    }

    @Test("the list of migrations names exactly the files in the folder, in their order")
    func migrationsAreListed() throws {
        let files = try Repository.allPaths().filter { $0.hasPrefix("migrations/") }.map {
            $0.dropFirst("migrations/".count)
        }
        let list = try Repository.text(of: "Sources/Migrations/Migration.swift")
        let listed = Migrations.listed(in: list)
        #expect(listed == files.map(String.init))
        #expect(listed.enumerated().allSatisfy { $1.hasPrefix("V000\($0 + 1)__") || $0 >= 9 })
    }

    @Test("a list with another name than its resource isn't taken for right")
    func listIsRead() {
        let list =
            "Migration(1, \"ledger\", PackageResources.V0001__ledger_sql),\nMigration(12, \"a_b\", PackageResources.V0012__a_b_sql),"
        #expect(Migrations.listed(in: list) == ["V0001__ledger.sql", "V0012__a_b.sql"])
        #expect(
            Migrations.listed(in: "Migration(1, \"ledger\", PackageResources.V0002__ledger_sql)") == [
                "mismatch: 1 ledger"
            ])
    }

    @Test("no file names a path of somebody's machine")
    func namesNoMachine() throws {
        let found = try Repository.allPaths().flatMap { path in
            MachinePaths.lines(in: try Repository.text(of: path)).map { "\(path):\($0)" }
        }
        #expect(found == [])
    }

    @Test("a planted path is found, and a route or a system's folder isn't one")
    func findsPlantedPath() {
        let planted = [
            "/ho" + "me/ada/x", "\"/ro" + "ot/.cache\"", "cd /wo" + "rk/x", "file:///Us" + "ers/ada", "/mn" + "t/c",
        ]
        #expect(MachinePaths.lines(in: planted.joined(separator: "\n")) == [1, 2, 3, 4, 5])
        #expect(MachinePaths.lines(in: "/api/fabric/work/items\n/etc/ssl\nsrc/home/x\n/tmp\n/workers") == [])
    }
}

/// Reads the list in `Migrations`, without importing it.
enum Migrations {
    static func listed(in source: String) -> [String] {
        source.split(separator: "\n").compactMap { line in
            guard let match = line.firstMatch(of: #/Migration\((\d+), "(\w+)", PackageResources\.(\w+)\)/#) else {
                return nil
            }
            let digits = String(repeating: "0", count: max(0, 4 - match.1.count)) + match.1
            let name = "V\(digits)__\(match.2)"
            return match.3 == name + "_sql" ? name + ".sql" : "mismatch: \(match.1) \(match.2)"
        }
    }
}

/// Paths that exist on one machine only. The words are put together here, so that this file isn't found.
enum MachinePaths {
    static let folders = ["ho" + "me", "ro" + "ot", "wo" + "rk", "Us" + "ers", "mn" + "t"].map { "/\($0)/" }

    /// The lines, from 1, that name one.
    static func lines(in text: String) -> [Int] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            folders.contains { folder in line.ranges(of: folder).contains { isStart($0.lowerBound, of: line) } }
                ? index + 1 : nil
        }
    }

    /// A path that begins here, rather than one that goes on.
    private static func isStart(_ index: Substring.Index, of line: Substring) -> Bool {
        guard index > line.startIndex else { return true }
        let before = line[line.index(before: index)]
        return !(before.isLetter || before.isNumber || "-_.$}".contains(before))
    }
}
