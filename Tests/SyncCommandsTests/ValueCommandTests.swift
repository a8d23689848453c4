import Foundation
import SignalWireSandbox
import TestSupport
import Testing

@Suite("Values in the commands") struct ValueCommandTests {
    @Test("are the same for a preview, the agent and show, and what is left out is said")
    func oneRule() async throws {
        try await Stage.run { stage in
            let rules = [
                "SOURCE_CONSTANTS_COMPANY_NAME": "Acme", "VALUES_DISPLAY_NAME": "full_name",
                "SOURCE_FIELDS_REGION": "title",
            ]
            _ = try await stage.command("migrate", changing: rules)
            try await stage.run(
                """
                INSERT INTO users (id, email, first_name, time_zone) VALUES
                (1, 'ada@x', 'Ada', 'Mars/Olympus'), (2, 'bob@x', 'Bob', 'Arizona')
                """)
            let ran = try await stage.command("run", "--until-idle", changing: rules)
            #expect(ran.status == 0 && ran.err.contains("field needs a second look because="), "\(ran.err)")
            #expect(!ran.err.contains("Mars"))
            let ada = stage.sandbox.subscriber(reference: "ada@x")?.profile
            #expect(ada == ["first_name": "Ada", "display_name": "Ada", "company_name": "Acme"])
            let bob = stage.sandbox.subscriber(reference: "bob@x")?.profile
            #expect(bob?["time_zone"] == "America/Phoenix")

            let show = try await stage.command("show", "1", "--format", "json", changing: rules)
            let user = try #require(try JSONSerialization.jsonObject(with: Data(show.out.utf8)) as? [String: Any])
            let fields = try #require(user["fields"] as? [String: String])
            #expect(fields["time_zone"] == "left out: no known time zone" && fields["company_name"] == "same")
            #expect(fields["display_name"] == "same" && user["status"] as? String == "synced")
            #expect(user["last_error_code"] as? String == "invalid_time_zone")
            let table = try await stage.command("show", "1", changing: rules)
            #expect(table.out.contains("(a constant)") && table.out.contains("(the full name)"))
            let log = try await stage.command("log", "--user", "1", changing: rules)
            #expect(log.out.contains("invalid_time_zone") && !log.out.contains("Mars"))

            let preview = try await stage.command("resync", "--all", "--dry-run", changing: rules)
            #expect(preview.out.contains("skip (nothing changed)  2"), "\(preview.out)")
            var others = rules
            others["SOURCE_CONSTANTS_COMPANY_NAME"] = "Blue"
            let changed = try await stage.command("resync", "--all", "--dry-run", changing: others)
            #expect(changed.out.contains("update                  2"), "\(changed.out)")
        }
    }
}
