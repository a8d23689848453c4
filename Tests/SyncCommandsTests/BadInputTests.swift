import Postgres
import SignalWireSandbox
import TestSupport
import Testing

/// Each is refused with one sentence, one hint and the right code, and changes nothing.
@Suite("Bad input") struct BadInputTests {
    /// One thing that is wrong, and what is said about it.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let what: String
        var arguments = ["migrate"]
        let change: [String: String]
        let status: Int32
        let says: String

        var testDescription: String { what }
    }

    static let cases: [Wrong] = [
        Wrong(what: "no database", change: ["DATABASE_URL": ""], status: 78, says: "No database is configured."),
        Wrong(what: "a DSN that is none", change: ["DATABASE_URL": "postgresql://[oops"], status: 78, says: "hint: "),
        Wrong(
            what: "no server", change: ["DATABASE_URL": "postgresql://app:plantedpw@127.0.0.1:1/x"], status: 69,
            says: "hint: "),
        Wrong(
            what: "no such database", change: ["DATABASE_URL": "NO_SUCH_DATABASE"], status: 69, says: "hint: "),
        Wrong(
            what: "no table", change: ["SOURCE_TABLE": "public.people"], status: 78,
            says: "There is no table public.people"),
        Wrong(
            what: "no column", change: ["SOURCE_FIELDS_JOB_TITLE": "titel"], status: 78, says: "has no column titel."),
        Wrong(what: "a nullable key", change: ["SOURCE_KEY": "email"], status: 78, says: "may be null"),
        Wrong(what: "a broken condition", change: ["SOURCE_WHERE": "nope ="], status: 78, says: "source.where"),
        Wrong(what: "no reference", change: ["SOURCE_REFERENCE": ""], status: 78, says: "source.reference"),
        Wrong(what: "a negative duration", change: ["DELIVERY_TIMEOUT": "-5s"], status: 78, says: "delivery.timeout"),
        Wrong(what: "a wrong type", change: ["DELIVERY_CONCURRENCY": "many"], status: 78, says: "delivery.concurrency"),
        Wrong(
            what: "a port that is none", change: ["DATABASE_URL": "postgresql://app:plantedpw@127.0.0.1:99999/x"],
            status: 78,
            says: "database.url: The option port of the connection string is not a number from 1 to 65535."),
        Wrong(
            what: "a port for the listener that is none", arguments: ["config"],
            change: ["DATABASE_LISTEN_URL": "host=h port=0 password=plantedpw"], status: 78,
            says: "database.listen_url: The option port"),
        Wrong(
            what: "no space", arguments: ["token", "a@x"], change: ["SIGNALWIRE_SPACE": ""], status: 78, says: "space"),
        Wrong(
            what: "http to another machine", arguments: ["token", "a@x"],
            change: ["SIGNALWIRE_SPACE": "http://example.com"], status: 78, says: "plain http"),
        Wrong(
            what: "a space with a path", arguments: ["token", "a@x"],
            change: ["SIGNALWIRE_SPACE": "https://acme.signalwire.com/api"], status: 78, says: "path"),
        Wrong(
            what: "a password in the space", arguments: ["config"],
            change: ["SIGNALWIRE_SPACE": "https://u:plantedpw@acme.signalwire.com"], status: 78,
            says: "signalwire.space holds a user name or a password (environment variable SIGNALWIRE_SPACE)."),
        Wrong(
            what: "a password in the space of the agent", arguments: ["run"],
            change: ["SIGNALWIRE_SPACE": "https://u:plantedpw@acme.signalwire.com"], status: 78,
            says: "signalwire.space holds a user name or a password"),
        Wrong(
            what: "a password in the space of a call by hand", arguments: ["token", "a@x"],
            change: ["SIGNALWIRE_SPACE": "https://u:plantedpw@acme.signalwire.com"], status: 78,
            says: "signalwire.space holds a user name or a password"),
        Wrong(
            what: "http to another machine, in the settings", arguments: ["config", "--space", "http://10.0.0.1:80"],
            change: [:], status: 78, says: "signalwire.space is a plain http address of another machine (flag --space)."
        ),
        Wrong(
            what: "an application that is no uuid", arguments: ["config"],
            change: ["SIGNALWIRE_APPLICATION_ID": "plantedpw"], status: 78,
            says: "signalwire.application_id is not a uuid"),
        Wrong(
            what: "no reference, in the settings", arguments: ["config"], change: ["SOURCE_REFERENCE": ""], status: 78,
            says: "source.reference is not set."),
        Wrong(
            what: "no account, in the settings", arguments: ["config"], change: ["SIGNALWIRE_API_TOKEN": ""],
            status: 78,
            says: "signalwire.api_token is not set."),
        Wrong(
            what: "no database, in the settings", arguments: ["config"], change: ["DATABASE_URL": ""], status: 78,
            says: "No database is configured."),
        Wrong(
            what: "a condition that leaves its brackets", change: ["SOURCE_WHERE": "true) or (true"], status: 78,
            says: "source.where is not a condition on public.users: syntax error at or near \")\""),
        Wrong(what: "a key of dates", change: ["SOURCE_KEY": "deleted_at"], status: 78, says: "is of type timestamp"),
        Wrong(
            what: "a reference with a control character", arguments: ["token", "a\u{1B}b"], change: [:], status: 64,
            says: "blank or holds a control character"),
        Wrong(
            what: "a setting nobody knows", arguments: ["config", "--set", "delivery.rat=3"], change: [:], status: 78,
            says: "delivery.rate"),
        Wrong(
            what: "a file that isn't there", arguments: ["config", "--config", "/nowhere.yaml"], change: [:],
            status: 78,
            says: "does not exist"),
        Wrong(
            what: "two selections", arguments: ["resync", "--all", "--failed"], change: [:], status: 64, says: "one of"),
    ]

    @Test("is refused", arguments: cases)
    func isRefused(wrong: Wrong) async throws {
        try await Stage.run { stage in
            var change = wrong.change
            if change["DATABASE_URL"] == "NO_SUCH_DATABASE" {
                change["DATABASE_URL"] = stage.database.dsn.replacing(stage.database.name, with: "no_such_database")
            }
            let run = try await CommandRun.run(wrong.arguments, stage.environment.merging(change) { $1 })
            #expect(run.status == wrong.status, "\(run.err)")
            #expect(run.out.isEmpty == (wrong.arguments.first != "config"), "\(run.out)")
            #expect(run.err.contains(wrong.says), "\(run.err)")
            #expect(run.err.contains("\nhint: ") || wrong.status == 64, "\(run.err)")
            #expect(!run.err.contains("plantedpw") && !run.out.contains("plantedpw"))
            #expect(try await stage.value("SELECT to_regnamespace('subscriber_sync')::text") == nil)
            try await stage.run("INSERT INTO users (email) VALUES ('still@x')")
        }
    }

    @Test("in profile columns reaches SignalWire clean, or not at all")
    func cleansProfiles() async throws {
        try await Stage.run { stage in
            let long = String(repeating: "ä", count: 5000)
            try await stage.run(
                """
                INSERT INTO users (id, email, first_name, title) VALUES
                (1, 'null@x', NULL, NULL), (2, 'empty@x', '', '   '), (3, 'long@x', '\(long)', '👩‍🚀 "x" \\ y'),
                (4, 'control@x', E'a\\tb\\u001bc', E'  two\\nlines  ')
                """)
            _ = try await stage.command("migrate")
            _ = try await stage.command("resync", "--all", "--yes")
            #expect(try await stage.command("run", "--until-idle").status == 0)
            #expect(try await stage.hasSynced(4))
            #expect(stage.sandbox.subscriber(reference: "null@x")?.profile == [:])
            #expect(stage.sandbox.subscriber(reference: "empty@x")?.profile == [:])
            #expect(stage.sandbox.subscriber(reference: "long@x")?.profile["first_name"] == long)
            #expect(stage.sandbox.subscriber(reference: "long@x")?.profile["job_title"] == "👩‍🚀 \"x\" \\ y")
            #expect(
                stage.sandbox.subscriber(reference: "control@x")?.profile
                    == ["first_name": "a b c", "job_title": "two lines"])
        }
    }

    @Test("names users who don't exist, and marks nobody")
    func nobody() async throws {
        try await Stage.run { stage in
            try await stage.run("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            _ = try await stage.command("migrate")
            let run = try await stage.command("resync", "--user", "1", "77", "x", "-5")
            #expect(run.status == 66 && run.err.contains("There is no user 77, x, -5."))
            #expect(try await stage.value("SELECT count(*) FROM subscriber_sync.subscriber") == "0")
        }
    }
}
