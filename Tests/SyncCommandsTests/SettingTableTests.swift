import Foundation
import SyncCore
import Testing

@testable import SyncCommands

@Suite struct SettingTableTests {
    static let contract = [
        "source.table", "source.key", "source.reference", "source.where", "source.updated_at",
        "source.profile",
        "source.fields.first_name",
        "source.fields.last_name", "source.fields.display_name", "source.fields.job_title",
        "source.fields.company_name", "source.fields.time_zone", "source.fields.country", "source.fields.region",
        "source.constants.first_name", "source.constants.last_name", "source.constants.display_name",
        "source.constants.job_title", "source.constants.company_name", "source.constants.time_zone",
        "source.constants.country", "source.constants.region",
        "capture.mode", "capture.poll_interval", "capture.sweep_interval", "capture.sweep_rate", "capture.notify",
        "capture.compare",
        "capture.on_replica", "capture.related",
        "database.url", "database.listen_url", "signalwire.space", "signalwire.project_id", "signalwire.api_token",
        "signalwire.application_id", "signalwire.token_ttl", "delivery.concurrency", "delivery.rate",
        "delivery.timeout", "delivery.lease", "limits.new_subscribers", "limits.changed_share",
        "limits.equal_rejections",
        "identity.on_reference_change", "values.cleared", "values.invalid_time_zone", "values.country",
        "values.display_name", "operations.listen",
        "operations.token", "webhook.secret", "webhook.key_paths", "webhook.rate", "log.level", "log.format",
        "log.retention",
        "log.max_rows",
    ]

    @Test("The table holds each key of the contract, once and in its order")
    func keys() {
        #expect(SettingTable.all.map(\.path) == SettingTableTests.contract)
        #expect(Set(SettingTable.all.map(\.environmentName)).count == SettingTable.all.count)
    }

    @Test("One pass over the settings reads each key of the table, in its order")
    func everyKeyIsRead() throws {
        #expect(try SettingsFixture().load().effective.map(\.key) == SettingTableTests.contract)
    }

    @Test("Each default reads back from its own text", arguments: SettingTable.all)
    func defaultsReadBack(_ definition: SettingDefinition) throws {
        let fixture = SettingsFixture(["--set", "\(definition.path)=\(definition.standardText)"])
        let loaded = try fixture.load(needsSource: false)
        let shown = loaded.effective.first { $0.key == definition.path }?.value
        #expect(shown ?? "" == definition.standardText)
    }

    @Test("Each key has one sentence and says what to write", arguments: SettingTable.all)
    func sentences(_ definition: SettingDefinition) {
        #expect(definition.sentence.hasSuffix(".") && !definition.form.isEmpty)
    }

    @Test("The credentials, and nothing else, may come from files")
    func fileVariables() {
        #expect(
            SettingTable.all.compactMap(\.fileVariable) == [
                "DATABASE_URL_FILE", "DATABASE_LISTEN_URL_FILE", "SIGNALWIRE_PROJECT_ID_FILE",
                "SIGNALWIRE_API_TOKEN_FILE", "OPERATIONS_TOKEN_FILE", "WEBHOOK_SECRET_FILE",
            ])
    }

    @Test("Real files are read, and what can't be read says why")
    func realFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "sync.yaml").path
        try Data("log:\n".utf8).write(to: URL(filePath: file))
        #expect(try SettingsLoader.contents(of: file) == Array("log:\n".utf8))
        #expect(throws: FileProblem.folder) { try SettingsLoader.contents(of: folder.path) }
        #expect(throws: FileProblem.tooLarge) { try SettingsLoader.contents(of: "/dev/zero") }
        #expect(throws: FileProblem.missing) { try SettingsLoader.contents(of: file + "/below") }
        #expect(throws: FileProblem.missing) { try SettingsLoader.contents(of: file + ".none") }
        try Data(count: FileProblem.largestKiB * 1024 + 1).write(to: URL(filePath: file))
        #expect(throws: FileProblem.tooLarge) { try SettingsLoader.contents(of: file) }
    }
}
