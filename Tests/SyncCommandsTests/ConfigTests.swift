import ArgumentParser
import Testing

@testable import SyncCommands

@Suite("config") struct ConfigTests {
    static let account = [
        "SIGNALWIRE_SPACE": "acme", "SIGNALWIRE_PROJECT_ID": "p", "SIGNALWIRE_API_TOKEN": "t",
        "DATABASE_URL": "dbname=d",
    ]

    static func report(_ change: [String: String], yaml: String? = nil, arguments: [String] = []) throws -> ConfigReport
    {
        let fixture = SettingsFixture(arguments, environment: account.merging(change) { $1 }, yaml: yaml)
        return ConfigReport(try SettingsOptions.parse(arguments), loader: fixture.loader)
    }

    @Test("has nothing to say where the agent could start")
    func complete() throws {
        let report = try Self.report([:])
        #expect(report.problems.isEmpty)
        #expect(report.effective.map(\.key) == SettingTable.all.map(\.path))
    }

    @Test(
        "says all that would keep the agent from starting, once each, and shows every other setting",
        arguments: [
            (["SOURCE_REFERENCE": ""], ["source.reference is not set."]),
            (["SIGNALWIRE_API_TOKEN": ""], ["signalwire.api_token is not set."]),
            (["DATABASE_URL": ""], ["No database is configured."]),
            (
                ["DATABASE_URL": "dbname=d port=0"],
                ["database.url: The option port of the connection string is not a number from 1 to 65535."]
            ),
            (
                ["SIGNALWIRE_SPACE": "http://planted.example", "SIGNALWIRE_PROJECT_ID": ""],
                [
                    "signalwire.space is a plain http address of another machine (environment variable SIGNALWIRE_SPACE).",
                    "signalwire.project_id is not set.",
                ]
            ),
            (
                ["SIGNALWIRE_APPLICATION_ID": "planted", "DELIVERY_RATE": "planted"],
                [
                    "signalwire.application_id is not a uuid (environment variable SIGNALWIRE_APPLICATION_ID).",
                    "delivery.rate is not a number (environment variable DELIVERY_RATE).",
                ]
            ),
        ])
    func problems(_ change: [String: String], _ sentences: [String]) throws {
        let report = try Self.report(change)
        #expect(report.problems.map(\.sentence) == sentences)
        for text in [report.text(.table), report.text(.json)] {
            #expect(!text.contains("planted"))
            #expect(SettingTable.all.allSatisfy { text.contains($0.path) })
        }
    }

    @Test("says nothing of what a file that can't be read may have set")
    func unreadableFile() throws {
        var fixture = SettingsFixture(yaml: "source: [\n")
        fixture.environment = ["SUBSCRIBER_SYNC_CONFIG": SettingsFixture.path]
        let report = ConfigReport(try SettingsOptions.parse([]), loader: fixture.loader)
        #expect(report.problems.count == 1)
    }
}
