import Logging
import SignalWire
import SyncCore
import Testing

@testable import SyncCommands

@Suite struct SettingsPrecedenceTests {
    @Test("What nobody gave has the default of the contract")
    func defaults() throws {
        let settings = try SettingsFixture().load().settings
        let source = try settings.requiredSource()
        #expect(source.table == TableName(schema: "public", name: "users"))
        #expect(source.key == "id" && source.scope == nil && source.profile == nil)
        #expect(
            settings.capture
                == .init(
                    mode: .listen, pollInterval: .seconds(5), sweepInterval: .seconds(21_600), sweepRate: 10_000,
                    notify: .guarded, compare: .columns, onReplica: false, related: []))
        #expect(settings.signalwire.tokenTTL == .seconds(300) && settings.signalwire.applicationID == nil)
        #expect(
            settings.delivery == .init(concurrency: 32, rate: 100, timeout: .seconds(15), lease: .seconds(60)))
        #expect(settings.limits == .init(newSubscribers: 1000, changedSharePercent: 30, equalRejections: 20))
        #expect(settings.rules == PushRules(cleared: .sendEmpty, referenceChange: .hold))
        #expect(settings.valueRules == ValueRules(invalidTimeZone: .omit, country: .asIs, displayName: .asIs))
        #expect(settings.operations.listen == ListenAddress(host: "127.0.0.1", port: 9464))
        #expect(
            settings.log == .init(level: .info, format: .text, retention: .seconds(30 * 86_400), maxRows: 10_000_000))
        #expect(settings.database == .init(url: nil, listenURL: nil))
    }

    static let yaml = "delivery:\n  rate: 3\n"
    static let places: [([String], [String: String], String?, Double, String)] = [
        ([], [:], nil, 100, "default"),
        ([], [:], yaml, 3, "sync.yaml, line 2"),
        ([], ["DELIVERY_RATE": "2"], yaml, 2, "environment variable DELIVERY_RATE"),
        (["--set", "delivery.rate=1"], ["DELIVERY_RATE": "2"], yaml, 1, "flag --set"),
        (["--set", "delivery.rate=9", "--set", "delivery.rate=1"], [:], nil, 1, "flag --set"),
        ([], ["DELIVERY_RATE": ""], yaml, 3, "sync.yaml, line 2"),
        ([], [:], "delivery:\n  rate:\n", 100, "default"),
    ]

    @Test("A flag wins over the environment, that over the file, that over the default", arguments: places)
    func precedence(
        _ arguments: [String], _ environment: [String: String], _ yaml: String?, _ rate: Double, _ origin: String
    ) throws {
        let fixture = SettingsFixture(arguments, environment: environment, yaml: yaml)
        #expect(try fixture.load().settings.delivery.rate == rate)
        #expect(try fixture.effective("delivery.rate")?.origin.description == origin)
    }

    @Test("Each key is also a variable and a flag, and both win over the file", arguments: SettingTable.all)
    func everyKeyEverywhere(_ definition: SettingDefinition) throws {
        let text = SettingsPrecedenceTests.sample(definition)
        let byVariable = SettingsFixture(environment: [definition.environmentName: text])
        let byFlag = SettingsFixture(["--set", "\(definition.path)=\(text)"])
        #expect(
            try byVariable.effective(definition.path)?.origin == .environment(definition.environmentName))
        #expect(try byFlag.effective(definition.path)?.origin == .flag("--set"))
    }

    /// A right value other than none.
    static func sample(_ definition: SettingDefinition) -> String {
        if definition == SettingTable.applicationID.definition { return "8f0a119a-cae7-4469-a37d-5d7b0a2e8f11" }
        if definition == SettingTable.constant(of: .timeZone).definition { return "Europe/Berlin" }
        if definition == SettingTable.webhookSecret.definition { return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }
        if definition == SettingTable.operationsToken.definition { return "sixteen-letters-and-more" }
        guard definition.standardText.isEmpty else { return definition.standardText }
        return definition.isList ? "[{table: a, columns: b, users: c}]" : "sample"
    }

    @Test("Mapped fields are merged over the places, and an empty flag takes one out")
    func fieldsAreMerged() throws {
        let fixture = SettingsFixture(
            ["--set", "source.fields.first_name="], environment: ["SOURCE_FIELDS_JOB_TITLE": "title"],
            yaml: "source:\n  fields:\n    last_name: \"Last Name\"\n    job_title: other\n")
        let source = try fixture.load().settings.requiredSource()
        #expect(source.fields == [.lastName: "Last Name", .jobTitle: "title"])
    }

    @Test("The flags with names of their own set their keys")
    func namedFlags() throws {
        let fixture = SettingsFixture(
            ["--database-url", "postgresql://h/d", "--space", "flag"], environment: ["SIGNALWIRE_SPACE": "variable"])
        let settings = try fixture.load().settings
        #expect(settings.database.url?.reveal() == "postgresql://h/d")
        #expect(settings.signalwire.space?.baseURL == "https://flag.signalwire.com")
        #expect(try fixture.effective("signalwire.space")?.origin == .flag("--space"))
    }

    @Test("The file of the flag --config is read in place of the variable's")
    func configFlagWins() throws {
        var fixture = SettingsFixture(["--config", "other.yaml"], yaml: "delivery:\n  rate: 3\n")
        fixture.files["other.yaml"] = "delivery:\n  rate: 4\n"
        #expect(try fixture.load().settings.delivery.rate == 4)
    }

    @Test("A command without users works without a mapping, and the mapping is nil")
    func noSourceNeeded() throws {
        var fixture = SettingsFixture()
        fixture.environment = [:]
        let settings = try fixture.load(needsSource: false).settings
        #expect(settings.source == nil)
        #expect(throws: SettingsError([SettingsRules.noReference])) { try settings.requiredSource() }
    }

    @Test("The account is whole, or each missing part is named with its variable")
    func account() throws {
        let account = ["SIGNALWIRE_SPACE": "s", "SIGNALWIRE_PROJECT_ID": "p", "SIGNALWIRE_API_TOKEN": "t"]
        let whole = try SettingsFixture(environment: account).load().settings.signalwire.account()
        #expect(whole == .init(space: try Space(parsing: "s"), projectID: "p", apiToken: Secret("t")))
        let partial = try SettingsFixture(environment: ["SIGNALWIRE_SPACE": "s"]).load().settings.signalwire
        let error = try #require(throws: SettingsError.self) { try partial.account() }
        #expect(
            error.problems.map(\.sentence)
                == ["signalwire.project_id is not set.", "signalwire.api_token is not set."])
        #expect(error.problems.first?.hint == "Set SIGNALWIRE_PROJECT_ID to the project's id.")
    }
}
