import Testing

@Suite("Who may import whom")
struct ImportTests {
    @Test("no source file imports what its target may not")
    func staysOnTheStaircase() {
        #expect(Repository.sources.flatMap(ImportRules.violations) == [])
    }

    @Test("every target has its row in the table, and no row is without a target")
    func coversAllTargets() {
        let targets = Set(Repository.sources.map(\.target))
        #expect(targets.subtracting(ImportRules.allowed.keys) == [])
        let folders =
            (try? Repository.allPaths().filter { $0.hasPrefix("Sources/") }.map { $0.split(separator: "/")[1] }) ?? []
        #expect(Set(ImportRules.allowed.keys).subtracting(folders.map(String.init)) == [])
    }

    @Test("the table itself has no way back up, and keeps the store and SignalWire apart")
    func tableIsAStaircase() {
        for target in ImportRules.allowed.keys {
            #expect(!ImportRules.reaches(target, target), "\(target) reaches itself")
        }
        #expect(!ImportRules.reaches("SyncStore", "SignalWire"))
        #expect(!ImportRules.reaches("SignalWire", "SyncStore"))
    }

    @Test(
        "each of the doors to the outside has its keepers",
        arguments: [
            ("CLibPQ", ["Postgres"]), ("CYAML", ["YAML"]), ("AsyncHTTPClient", ["SignalWire"]),
            ("Hummingbird", ["Operations", "SignalWireSandbox"]), ("Configuration", ["SyncCommands"]),
        ])
    func doorsHaveKeepers(module: String, keepers: [String]) {
        #expect(ImportRules.allowed.filter { $0.value.contains(module) }.map(\.key).sorted() == keepers)
    }

    @Test(
        "a planted import is found",
        arguments: [
            ("SyncCore", "import Synchronization"), ("SyncStore", "import SignalWire"),
            ("SyncAgent", "@preconcurrency import CLibPQ"), ("Postgres", "import struct SyncCore.Claim"),
            ("Operations", "public import Configuration"), ("SyncStore", "import Foundation"),
            ("Unknown", "import SyncCore"),
        ])
    func findsPlanted(target: String, line: String) {
        let file = SourceFile(path: "Sources/\(target)/Planted.swift", "// import Nothing\n\(line)\n")
        #expect(ImportRules.violations(in: file).count == 1)
    }
}
