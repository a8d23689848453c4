import Foundation
import Testing

@testable import SyncCommands

@Suite("The settings' table") struct ExampleSettingsTests {
    /// Settings that are commented out have no blank behind their `#`; prose has one.
    static func withEverything() throws -> String {
        try Deployed.text("subscriber-sync.yaml").split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard let match = line.firstMatch(of: #/^( *)#([a-z_]+: .*)$/#) else { return String(line) }
            return "\(match.1)\(match.2)"
        }.joined(separator: "\n")
    }

    static func fromFile(_ yaml: String) throws -> (Set<String>, [EffectiveSetting]) {
        var fixture = SettingsFixture(yaml: yaml)
        fixture.environment = ["SUBSCRIBER_SYNC_CONFIG": SettingsFixture.path]
        let effective = try fixture.load().effective
        let keys = effective.filter {
            if case .file = $0.origin { true } else { false }
        }.map(\.key)
        return (Set(keys), effective)
    }

    @Test("has every key in the example, and the example has no other; it can be used as it is")
    func example() throws {
        let (used, _) = try Self.fromFile(try Deployed.text("subscriber-sync.yaml"))
        #expect(used.isSuperset(of: ["source.table", "source.key", "source.reference"]))
        let (keys, _) = try Self.fromFile(try Self.withEverything())
        // A file that others read holds no secret; those are named in its text.
        let secrets = SettingTable.all.filter { $0.exposure == .secret }
        let expected = Set(SettingTable.all.map(\.path)).subtracting(secrets.map(\.path))
        #expect(keys == expected, "\(keys.symmetricDifference(expected).sorted())")
        for secret in secrets {
            #expect(try Deployed.text("subscriber-sync.yaml").contains(secret.environmentName), "\(secret.path)")
        }
    }

    @Test("says the defaults that hold where the example comments a key out")
    func defaults() throws {
        let (_, effective) = try Self.fromFile(try Self.withEverything())
        let examples = [
            "source.reference", "source.where", "source.updated_at", "source.profile", "signalwire.space",
            "signalwire.project_id", "signalwire.application_id", "database.url", "database.listen_url",
        ]
        for setting in effective where !examples.contains(setting.key) && !setting.key.hasPrefix("source.fields.") {
            let standard = SettingTable.definition(at: setting.key)?.standardText
            guard case .file = setting.origin, standard?.isEmpty == false else { continue }
            #expect(setting.value == standard, "\(setting.key)")
        }
    }

    @Test("has every key in the README's table, and that has no other")
    func readme() throws {
        let text = try String(
            contentsOf: Deployed.folder.deletingLastPathComponent().appending(path: "README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix("Settings\n") })
        let rows = section.split(separator: "\n").compactMap { line in
            line.firstMatch(of: #/^\| ((?:`[a-z_.…]+`(?:, )?)+) \| /#).map { String($0.1) }
        }
        let keys = Set(
            rows.flatMap { $0.split(separator: ",") }.map {
                $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
            }
            .filter { $0.contains(".") })
        let fields = SettingTable.all.map(\.path).filter {
            $0.hasPrefix(SettingTable.fieldPrefix) || $0.hasPrefix(SettingTable.constantPrefix)
        }
        let account = SettingTable.all.filter { $0.exposure != .open || $0.path == "signalwire.space" }.map(\.path)
        let expected = Set(SettingTable.all.map(\.path)).subtracting(fields).union([
            "source.fields.…", "source.constants.…",
        ])
        // The environment's names of those that are secret or name a place stand in the table below.
        #expect(expected.subtracting(keys).subtracting(account) == [])
        #expect(keys.subtracting(expected) == [])
        for definition in SettingTable.all where account.contains(definition.path) {
            #expect(text.contains(definition.environmentName), "\(definition.path)")
        }
    }
}
