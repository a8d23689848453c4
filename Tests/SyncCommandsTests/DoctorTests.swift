import Foundation
import Postgres
import SignalWireSandbox
import SyncCore
import SyncStore
import TestSupport
import Testing

@testable import SyncCommands

@Suite("doctor") struct DoctorTests {
    /// What it printed, by name.
    struct Report: Decodable {
        struct Line: Decodable {
            let name: String
            let verdict: String
            let finding: String
            let hint: String?
            let remedy: String?

            var all: String { [finding, hint, remedy].compactMap { $0 }.joined(separator: " ") }
        }

        let exit: Int
        let checks: [Line]

        subscript(name: String) -> Line? { checks.first { $0.name == name } }
    }

    static func report(
        _ stage: Stage, exit: Int32, changing: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Report {
        let run = try await stage.command("doctor", "--format", "json", changing: changing)
        #expect(run.status == exit, "\(run.out)\(run.err)", sourceLocation: sourceLocation)
        let report = try JSONDecoder().decode(Report.self, from: Data(run.out.utf8))
        #expect(report.exit == Int(exit), sourceLocation: sourceLocation)
        return report
    }

    /// Expects that a check names cause and remedy.
    static func expect(
        _ report: Report, _ name: String, _ verdict: String, _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let line = report[name]
        #expect(line?.verdict == verdict, "\(String(describing: line))", sourceLocation: sourceLocation)
        for word in words {
            #expect(line?.all.contains(word) == true, "\(line?.all ?? name)", sourceLocation: sourceLocation)
        }
    }

    /// A role without rights of its own, as a careful operator makes it.
    static let agentRole = """
        CREATE ROLE careful LOGIN; GRANT USAGE ON SCHEMA subscriber_sync TO careful;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA subscriber_sync TO careful;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA subscriber_sync TO careful;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriber_sync TO careful;
        GRANT SELECT ON users TO careful;
        """

    static func asRole(_ role: String, _ stage: Stage) -> [String: String] {
        ["DATABASE_URL": stage.database.dsn.replacing("user=postgres", with: "user=\(role)")]
    }

    /// Roles belong to the server, which other tests share.
    static func withRole(_ stage: Stage, _ body: (String) async throws -> Void) async throws {
        let role = "careful_\(stage.database.name)"
        try await stage.run(agentRole.replacing("careful", with: role))
        try await body(role)
        try await stage.run("DROP OWNED BY \(role); DROP ROLE \(role)")
    }

    @Test("finds nothing wrong with an installation that works, and says what it proved")
    func healthy() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            let agent = try stage.start("run")
            try await eventually("the agent is alive and listens") {
                try await stage.value("SELECT agents_listening FROM subscriber_sync.status") == "1"
            }
            try await Self.withRole(stage) { role in
                let report = try await Self.report(stage, exit: 0, changing: Self.asRole(role, stage))
                #expect(report.checks.allSatisfy { $0.verdict == "ok" }, "\(report.checks)")
                #expect(Set(report.checks.map(\.name)).count == report.checks.count)
                let text = try await stage.command("doctor", changing: Self.asRole(role, stage))
                #expect(text.status == 0 && text.out.hasSuffix("0 warn, 0 fail\n"))
                #expect(text.out.split(separator: "\n").count == report.checks.count + 1)
                #expect(!text.out.contains("\u{1B}"))
            }
            agent.send(SIGTERM)
            _ = try await agent.finish()
        }
    }

    @Test("names the schema that is missing, and looks no further behind it")
    func noSchema() async throws {
        try await Stage.run { stage in
            let report = try await Self.report(stage, exit: 2)
            Self.expect(report, "schema", "fail", "doesn't exist", "subscriber-sync migrate")
            for name in ["triggers", "capture", "agents", "pause", "vacuum", "rights"] {
                Self.expect(report, name, "skipped")
            }
            Self.expect(report, "signalwire_account", "ok")
        }
    }

    @Test("names settings that can't be read, and a database that isn't there")
    func early() async throws {
        try await Stage.run { stage in
            let settings = try await Self.report(stage, exit: 2, changing: ["SOURCE_REFERENCE": ""])
            Self.expect(settings, "settings", "fail", "source.reference")
            let nowhere = try await Self.report(
                stage, exit: 2, changing: ["DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"])
            Self.expect(nowhere, "database", "fail", "nobody listens there", "Start the server")
            Self.expect(nowhere, "table", "skipped", "because of database")
            Self.expect(nowhere, "signalwire_account", "ok")
        }
    }

    @Test("names what is wrong on the way to SignalWire: the scope, the address, the name, the token")
    func signalWire() async throws {
        try await Stage.run(faults: ["status=403,path=*resources*"]) { stage in
            _ = try await stage.command("migrate")
            let scope = try await Self.report(stage, exit: 2)
            Self.expect(scope, "signalwire_account", "fail", "scope of the API token", "Voice, Messaging, Fax or Video")
            Self.expect(scope, "signalwire", "ok")
            let nobody = try await Self.report(stage, exit: 2, changing: ["SIGNALWIRE_SPACE": "http://127.0.0.1:1"])
            Self.expect(nobody, "signalwire", "fail", "refused the connection")
            Self.expect(nobody, "signalwire_account", "skipped")
            let name = try await Self.report(stage, exit: 2, changing: ["SIGNALWIRE_SPACE": "nowhere.invalid"])
            Self.expect(name, "signalwire", "fail", "could not be resolved", "SIGNALWIRE_SPACE")
            let none = try await Self.report(stage, exit: 2, changing: ["SIGNALWIRE_API_TOKEN": ""])
            Self.expect(none, "signalwire", "fail", "SIGNALWIRE_API_TOKEN")
            #expect(![scope, nobody, name, none].contains { "\($0)".contains("planted-api-token") })
        }
    }

    @Test("remarks counts that users were written past, and migrate counts anew")
    func counts() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            try await stage.run(
                """
                SET session_replication_role = replica;
                INSERT INTO subscriber_sync.subscriber (user_key, standing) VALUES ('1', 'rejected');
                SET session_replication_role = origin
                """)
            Self.expect(try await Self.report(stage, exit: 1), "counts", "warn", "rejected", "subscriber-sync migrate")
            #expect(try await stage.command("migrate").status == 0)
            Self.expect(try await Self.report(stage, exit: 1), "counts", "ok")
        }
    }

    @Test("remarks a field that SignalWire takes for something else")
    func region() async throws {
        try await Stage.run { stage in
            let report = try await Self.report(stage, exit: 2, changing: ["SOURCE_FIELDS_REGION": "notes"])
            Self.expect(report, "region", "warn", "us-central", "source.fields.region")
        }
    }
}
