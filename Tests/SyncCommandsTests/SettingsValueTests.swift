import Logging
import Testing

@testable import SyncCommands

@Suite struct SettingsValueTests {
    @Test(
        "A duration is a number with its unit, or several from large to small",
        arguments: [
            ("0", Duration.zero), ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("10m", .seconds(600)),
            ("6h", .seconds(21_600)), ("30d", .seconds(2_592_000)), ("1h30m", .seconds(5400)),
            ("1d2h3m4s5ms", .milliseconds(93_784_005)), ("0s", .zero),
        ])
    func durations(_ text: String, _ duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
        #expect(try DurationText.parse(DurationText.render(duration)) == duration)
    }

    @Test(
        "What isn't a duration says why",
        arguments: [
            ("-5s", "is negative"), ("60", "has no unit"), ("5 s", "is not a duration"), ("5x", "is not a duration"),
            ("5M", "is not a duration"), ("s", "is not a duration"), ("1.5h", "is not a duration"),
            ("30m1h", "is not a duration"), ("1m1m", "is not a duration"), ("٣s", "is not a duration"),
            ("99999999999999999999s", "is too long"), ("9223372036854775807d", "is too long"),
            ("1d210000000000m", "is too long"), ("", "has no unit"),
        ])
    func badDurations(_ text: String, _ what: String) {
        #expect(throws: ValueProblem(what)) { try DurationText.parse(text) }
    }

    @Test(
        "A duration is written in the largest unit that it is two or more of",
        arguments: [(60_000, "60s"), (300_000, "5m"), (5_400_000, "90m"), (1500, "1500ms"), (1, "1ms"), (0, "0")])
    func renderedDurations(_ milliseconds: Int, _ text: String) {
        #expect(DurationText.render(.milliseconds(milliseconds)) == text)
    }

    @Test(
        "A table's name keeps its capitals and needs quotes only for dots, quotes and spaces",
        arguments: [
            ("users", TableName(schema: nil, name: "users")), ("Users", TableName(schema: nil, name: "Users")),
            ("app.Users", TableName(schema: "app", name: "Users")),
            ("\"My Schema\".\"User Table\"", TableName(schema: "My Schema", name: "User Table")),
            ("\"a.b\".c", TableName(schema: "a.b", name: "c")),
            ("\"say \"\"hi\"\"\"", TableName(schema: nil, name: "say \"hi\"")),
            ("ünï", TableName(schema: nil, name: "ünï")),
            ("\"a\"\"\u{301}\".\"\u{301}.b\"", TableName(schema: "a\"\u{301}", name: "\u{301}.b")),
        ])
    func tableNames(_ text: String, _ name: TableName) throws {
        #expect(try TableName(parsing: text) == name)
        #expect(try TableName(parsing: name.description) == name)
    }

    @Test(
        "What isn't a table's name says why",
        arguments: [
            ("", "has an empty part"), (".users", "has an empty part"), ("public.", "has an empty part"),
            ("\"\"", "has an empty part"), ("a.b.c", "has more than two parts"),
            ("user table", "is not a table's name"),
            ("\"open", "is not a table's name"), ("\"a\"b", "is not a table's name"), ("a\"b", "is not a table's name"),
            ("a\0b", "holds a NUL character"),
        ])
    func badTableNames(_ text: String, _ what: String) throws {
        let problem = try #require(throws: ValueProblem.self) { try TableName(parsing: text) }
        #expect(problem.what == what)
    }

    @Test(
        "An address is host:port, with brackets around IPv6",
        arguments: [("127.0.0.1:9464", "127.0.0.1", 9464), ("[::1]:0", "::1", 0), ("localhost:80", "localhost", 80)])
    func addresses(_ text: String, _ host: String, _ port: Int) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address.description == text)
    }

    @Test(
        "What isn't an address is refused",
        arguments: [
            "9464", ":9464", "host", "host:", "host:65536", "host:-1", "::1:80", "[]:80", "a b:80", "[host]:80",
        ])
    func badAddresses(_ text: String) {
        #expect(throws: ValueProblem.self) { try ListenAddress(parsing: text) }
    }

    @Test("An empty address turns the endpoints off, wherever it stands")
    func listenOff() throws {
        let off = [
            SettingsFixture(environment: ["OPERATIONS_LISTEN": ""]), SettingsFixture(["--set", "operations.listen="]),
            SettingsFixture(yaml: "operations:\n  listen:\n"), SettingsFixture(yaml: "operations:\n  listen: ''\n"),
        ]
        for fixture in off { #expect(try fixture.load().settings.operations.listen == nil) }
    }

    @Test("Zero and minus one mean none where the contract says so")
    func noneValues() throws {
        let yaml = """
            capture: {sweep_interval: 0}
            log: {retention: 0}
            limits: {new_subscribers: -1, changed_share: 0}
            delivery: {rate: 0}
            """
        let settings = try SettingsFixture(yaml: yaml).load().settings
        #expect(settings.capture.sweepInterval == nil && settings.log.retention == nil)
        #expect(settings.limits == .init(newSubscribers: nil, changedSharePercent: 0, equalRejections: 20))
        #expect(settings.delivery.rate == 0)
        let none = try SettingsFixture(["--set", "limits.new_subscribers=0"]).load().settings
        #expect(none.limits.newSubscribers == 0)
    }

    @Test("A word is read in any case, and YAML's off stays a word")
    func words() throws {
        let fixture = SettingsFixture(
            environment: ["LOG_LEVEL": "DEBUG"], yaml: "capture:\n  notify: off\n  mode: poll\n")
        let settings = try fixture.load().settings
        #expect(settings.log.level == .debug)
        #expect(settings.capture.notify == .off && settings.capture.mode == .poll)
    }
}
