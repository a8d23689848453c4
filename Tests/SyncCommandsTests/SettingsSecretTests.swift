import Foundation
import Testing

@testable import SyncCommands

@Suite struct SettingsSecretTests {
    static let token = "planted-token"
    static let secrets = [
        "DATABASE_URL": "postgresql://ada:planted-password@db.example:5432/app?sslmode=require&sslpassword=planted-key",
        "DATABASE_LISTEN_URL": "host=db user=ada password=planted-password",
        "SIGNALWIRE_API_TOKEN": token,
    ]

    @Test("No way of printing a secret shows it, and only reveal does")
    func printing() {
        let secret = Secret(SettingsSecretTests.token)
        var dumped = ""
        dump([secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            #expect(!text.contains("planted"))
        }
        #expect(secret.reveal() == SettingsSecretTests.token)
    }

    @Test("Neither the settings nor what config shows holds a planted secret")
    func nothingLeaks() throws {
        let loaded = try SettingsFixture(environment: SettingsSecretTests.secrets).load()
        var text = "\(loaded)" + String(reflecting: loaded)
        dump(loaded, to: &text)
        #expect(!text.contains("planted"))
        let shown = Dictionary(uniqueKeysWithValues: loaded.effective.map { ($0.key, $0.value) })
        #expect(shown["database.url"] == "postgresql://ada:***@db.example:5432/app?sslmode=require&sslpassword=***")
        #expect(shown["database.listen_url"] == "host=db user=ada password=***")
        #expect(shown["signalwire.api_token"] == "(redacted)")
        #expect(loaded.settings.signalwire.apiToken?.reveal() == SettingsSecretTests.token)
    }

    @Test("No mistake quotes what was written: not in a key's place, nor in a path's, nor as a value")
    func mistakesDoNotQuote() throws {
        let dsn = "postgresql://ada:planted@db/app?sslmode=require"
        let fixtures = [
            SettingsFixture(["--set", dsn]), SettingsFixture(["--set", "planted"]),
            SettingsFixture(environment: ["DATABASE_URL_FILE": dsn]),
            SettingsFixture(environment: ["DELIVERY_RATE": dsn, "LOG_LEVEL": "planted", "SOURCE_TABLE": dsn]),
            SettingsFixture(yaml: "\"\(dsn)\": 1\n"), SettingsFixture(yaml: "database: \(dsn)\n"),
            SettingsFixture(yaml: "database:\n  url: [\(dsn)]\n"), SettingsFixture(yaml: "? [planted]\n: planted\n"),
            SettingsFixture(yaml: "signalwire:\n  api_token: planted\n  planted: *planted\n"),
            SettingsFixture(yaml: "signalwire:\n  api_token: \"planted\n"),
            SettingsFixture(yaml: "api_token: !planted!x planted\n"),
            SettingsFixture(yaml: "signalwire:\n  PTplanted: 1\n"), SettingsFixture(yaml: "planted7: 1\n"),
            SettingsFixture(["--set", "signalwire.PTplanted=1"]),
        ]
        for fixture in fixtures {
            let error = SettingsError(try fixture.problems())
            #expect(!error.problems.isEmpty)
            #expect(!"\(error.message) \(error.hint ?? "")".contains("planted"))
        }
    }

    @Test(
        "A connection string keeps what names the database, and is redacted as a whole where its form leaves doubt",
        arguments: [
            ("postgresql://db/app", "postgresql://db/app"), ("postgres://ada@db", "postgres://ada@db"),
            ("postgresql://ada:pw@a:1,b:2/app?passfile=x", "postgresql://ada:***@a:1,b:2/app?passfile=***"),
            ("postgresql://ada:pw@[::1]:5432/app", "postgresql://ada:***@[::1]:5432/app"),
            ("postgresql:///app?host=/var/run&password=pw", "postgresql:///app?host=/var/run&password=***"),
            ("postgresql://ada:p@w/x@db/app", "(redacted)"), ("postgresql://ada:pw/x@db/app", "(redacted)"),
            ("postgresql://ada:p?w@db/app", "(redacted)"), ("postgresql://ada:12?x=3@db/app", "(redacted)"),
            ("postgresql://ada:pw", "(redacted)"), ("host=db password='p w'", "(redacted)"),
            ("host=db password = pw", "(redacted)"), ("dbname=postgres://u:pw@h", "dbname=***"), ("pw", "(redacted)"),
        ])
    func connectionStrings(_ dsn: String, _ shown: String) {
        #expect(ConnectionString.withoutSecrets(dsn) == shown)
    }

    @Test(
        "A secret's file is read without its last newline",
        arguments: [("t\n", "t"), ("t\r\n", "t"), ("t", "t"), ("a\nb\n", "a\nb")])
    func secretFile(_ content: String, _ token: String) throws {
        var fixture = SettingsFixture(environment: ["SIGNALWIRE_API_TOKEN_FILE": "token"])
        fixture.files["token"] = content
        #expect(try fixture.load().settings.signalwire.apiToken?.reveal() == token)
        #expect(
            try fixture.effective("signalwire.api_token")?.origin == .environment("SIGNALWIRE_API_TOKEN_FILE"))
    }

    @Test("A secret's file that is missing or empty, or that competes with the variable, is an error")
    func badSecretFile() throws {
        var fixture = SettingsFixture(environment: ["DATABASE_URL_FILE": "dsn"])
        #expect(try fixture.problems().map(\.sentence) == ["The file that DATABASE_URL_FILE names does not exist."])
        fixture.files["dsn"] = "\n"
        #expect(try fixture.problems().map(\.sentence) == ["The file that DATABASE_URL_FILE names is empty."])
        fixture.files["dsn"] = "postgresql://a"
        fixture.environment["DATABASE_URL"] = "postgresql://b"
        #expect(
            try fixture.problems() == [
                .init("Both DATABASE_URL and DATABASE_URL_FILE are set.", hint: "Unset one of them.")
            ])
    }

    @Test(
        "A password, mapped or the same for everybody, is refused from the environment too",
        arguments: ["SOURCE_FIELDS_PASSWORD", "SOURCE_CONSTANTS_PASSWORD"])
    func passwordVariable(_ variable: String) throws {
        let problems = try SettingsFixture(environment: [variable: "hash"]).problems()
        #expect(
            problems.map(\.sentence) == ["The field password can't be sent (environment variable \(variable))."])
    }
}
