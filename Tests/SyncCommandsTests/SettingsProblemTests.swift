import Testing

@testable import SyncCommands

@Suite struct SettingsProblemTests {
    static let sentences: [(String, String, String)] = [
        (
            "delivery:\n  timeout: fast\n", "delivery.timeout is not a duration (sync.yaml, line 2).",
            "Write a duration from 100ms to 10m, such as 500ms, 5s, 10m, 6h or 1h30m."
        ),
        (
            "delivery:\n  timeout: -1s\n", "delivery.timeout is negative (sync.yaml, line 2).",
            "Write a duration from 100ms to 10m, such as 500ms, 5s, 10m, 6h or 1h30m."
        ),
        (
            "capture:\n  poll_interval: 5\n", "capture.poll_interval has no unit (sync.yaml, line 2).",
            "Write a duration from 100ms to 24h, such as 500ms, 5s, 10m, 6h or 1h30m."
        ),
        (
            "delivery:\n\n  concurency: 3\n", "There is no setting delivery.concurency (sync.yaml, line 3).",
            "Did you mean delivery.concurrency?"
        ),
        ("timeout: 3s\n", "There is no setting timeout (sync.yaml, line 1).", "Did you mean delivery.timeout?"),
        ("sorce:\n  key: id\n", "There is no setting sorce (sync.yaml, line 1).", "Did you mean source?"),
        (
            "log:\n  colour: no\n", "There is no setting log.colour (sync.yaml, line 2).",
            "Known in log: level, format, retention, max_rows."
        ),
        (
            "webserver: 1\n", "There is no setting webserver (sync.yaml, line 1).",
            "The sections are capture, database, delivery, identity, limits, log, operations, signalwire, source, "
                + "values and webhook."
        ),
        (
            "source:\n  fields:\n    password: hash\n", "The field password can't be sent (sync.yaml, line 3).",
            "Remove it: a users table holds hashes, and this program never sends one."
        ),
        (
            "delivery:\n  rate: [1, 2]\n", "delivery.rate is a list, not a single value (sync.yaml, line 2).",
            "Write a number from 0 to 1000000."
        ),
        (
            "delivery:\n  rate: {a: 1}\n", "delivery.rate is a section, not a single value (sync.yaml, line 2).",
            "Write a number from 0 to 1000000."
        ),
        (
            "delivery: 3\n", "delivery is a section, not a value (sync.yaml, line 1).",
            "Write its keys below it, each on a line of its own and indented."
        ),
        (
            "delivery.rate: 3\ndelivery: {rate: 4}\n", "delivery.rate is set twice (sync.yaml, line 2).",
            "Remove one of them."
        ),
        (
            // Each level names the one before twice, and keys are compared by all that they name.
            "l0: &a0 [x]\n" + (1..<40).map { "l\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
                + "? *a39\n: 1\n",
            "sync.yaml has more than 30 aliases (*name).", "Write the values out."
        ),
        (
            "- a\n", "sync.yaml holds no settings: its top level is not a section.",
            "Write sections such as source: with keys indented below them."
        ),
        (
            "log: {level: loud}\n",
            "log.level is none of trace, debug, info, notice, warning, error, critical (sync.yaml, line 1).",
            "Write trace, debug, info, notice, warning, error or critical."
        ),
        ("source:\n  key: ''\n", "source.key is empty (sync.yaml, line 2).", "Write the name of a column."),
        (
            "source:\n  table: a.b.c\n", "source.table has more than two parts (sync.yaml, line 2).",
            "Write schema.table; the database is chosen by DATABASE_URL."
        ),
        (
            "delivery:\n  timeout: 30s\n  lease: 34s\n",
            "delivery.lease must be at least 5s longer than delivery.timeout (sync.yaml, line 3).",
            "Write 35s or more for delivery.lease, or shorten delivery.timeout."
        ),
        (
            "delivery:\n  timeout: 56s\n",
            "delivery.lease must be at least 5s longer than delivery.timeout (sync.yaml, line 2).",
            "Write 61s or more for delivery.lease, or shorten delivery.timeout."
        ),
    ]

    @Test("Each mistake in the file is one sentence with its line, and one hint", arguments: sentences)
    func mistakes(_ yaml: String, _ sentence: String, _ hint: String) throws {
        #expect(try SettingsFixture(yaml: yaml).problems() == [SettingsProblem(sentence, hint: hint)])
    }

    @Test(
        "Each bound is kept",
        arguments: [
            ("delivery.concurrency=0", "is too small"), ("delivery.concurrency=1001", "is too large"),
            ("delivery.concurrency=many", "is not a whole number"),
            ("delivery.concurrency=1.5", "is not a whole number"),
            ("delivery.rate=-1", "is too small"), ("delivery.rate=0x10", "is not a number"),
            ("delivery.rate=inf", "is not a number"), ("delivery.rate=", "is not a number"),
            ("delivery.lease=9s", "is shorter than 10s"), ("capture.poll_interval=99ms", "is shorter than 100ms"),
            ("capture.sweep_interval=-1h", "is negative"), ("signalwire.token_ttl=59s", "is shorter than 60s"),
            ("signalwire.token_ttl=25h", "is longer than 24h"), ("limits.new_subscribers=-2", "is too small"),
            ("limits.changed_share=101", "is too large"), ("limits.changed_share=-1", "is too small"),
        ])
    func bounds(_ assignment: String, _ what: String) throws {
        let key = assignment.prefix { $0 != "=" }
        let problems = try SettingsFixture(["--set", assignment]).problems()
        #expect(problems.map(\.sentence) == ["\(key) \(what) (flag --set)."])
    }

    @Test("A broken file says where and why, without the line's text")
    func brokenYAML() throws {
        let problems = try SettingsFixture(yaml: "database:\n  url: 'postgresql://u:hunter2@h/d\n").problems()
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(problem.sentence.hasPrefix("sync.yaml, line 3, column 1 is not valid YAML: "))
        #expect(!"\(problem)".contains("hunter2"))
        let twice = try SettingsFixture(yaml: "log:\n  level: info\n  level: debug\n").problems()
        #expect(
            twice.map(\.sentence).allSatisfy { $0.contains("a key stands twice in one section") } && twice.count == 1)
    }

    @Test("A file that is named and can't be read is an error, by flag and by variable")
    func missingFile() throws {
        let hint = "Check the path; a relative one begins at the current folder."
        let byFlag = try SettingsFixture(["--config", "none.yaml"]).problems()
        #expect(byFlag == [.init("The settings file none.yaml does not exist (flag --config).", hint: hint)])
        let byVariable = try SettingsFixture(environment: ["SUBSCRIBER_SYNC_CONFIG": "none.yaml"]).problems()
        #expect(
            byVariable == [
                .init(
                    "The settings file none.yaml does not exist (environment variable SUBSCRIBER_SYNC_CONFIG).",
                    hint: hint)
            ])
    }

    @Test("A file that can't be read or parsed hides no further mistake, and makes nothing missing")
    func nothingMissing() throws {
        var fixture = SettingsFixture(yaml: "source: [\n")
        fixture.environment = ["SUBSCRIBER_SYNC_CONFIG": SettingsFixture.path, "LOG_LEVEL": "loud"]
        let problems = try fixture.problems().map(\.sentence)
        #expect(problems.count == 2)
        #expect(problems.first?.contains("is not valid YAML") == true)
        #expect(problems.last?.hasPrefix("log.level is none of") == true)
    }

    @Test("A missing reference and a missing mapping are named together")
    func missingSource() throws {
        var fixture = SettingsFixture()
        fixture.environment = [:]
        #expect(try fixture.problems() == [SettingsRules.noReference, SettingsRules.noField])
        #expect(try fixture.problems(needsSource: false).isEmpty)
    }

    @Test("An empty or commented file sets nothing", arguments: ["", "# nothing\n", "source:\n", "{}", "---\n"])
    func emptyFile(_ yaml: String) throws {
        #expect(try SettingsFixture(yaml: yaml).problems().isEmpty)
    }

    @Test("All problems are told together, and no more than twenty are written out")
    func together() throws {
        let fixture = SettingsFixture(
            ["--set", "nothing", "--set", "log.format=xml"], environment: ["DELIVERY_LEASE": "x"], yaml: "a: 1\n")
        let error = SettingsError(try fixture.problems())
        #expect(
            error.problems.map(\.sentence) == [
                "A value of --set has no =.", "There is no setting a (sync.yaml, line 1).",
                "delivery.lease is not a duration (environment variable DELIVERY_LEASE).",
                "log.format is none of text, json (flag --set).",
            ])
        #expect(
            error.message.hasPrefix(
                "The settings have 4 problems.\n- A value of --set has no =.\nhint: Write --set KEY"))
        let lines = error.message.split(separator: "\n")
        #expect(lines.count == 9 && lines.count { $0.hasPrefix("hint: ") } == 4)
        #expect(error.hint == nil)
        let many = SettingsError(Array(repeating: .init("It is wrong.", hint: "Mend it."), count: 25))
        #expect(many.message.hasSuffix("\nhint: Mend it.\n- … and 5 more."))
        #expect(many.message.split(separator: "\n").count == 42)
    }

    @Test("One problem is a sentence and a hint")
    func single() {
        let error = SettingsError([.init("It is wrong.", hint: "Mend it.")])
        #expect(error.message == "It is wrong." && error.hint == "Mend it.")
    }

    @Test(
        "The distance counts inserted, dropped, replaced and swapped letters",
        arguments: [
            ("", "abc", 3), ("rate", "rate", 0), ("raet", "rate", 1), ("rat", "rate", 1), ("kitten", "sitting", 3),
        ])
    func distance(_ left: String, _ right: String, _ steps: Int) {
        #expect(NearestKey.distance(left, right) == steps)
        #expect(NearestKey.distance(right, left) == steps)
    }
}
