import SyncCore
import Testing

@testable import SyncCommands
@testable import SyncStore

@Suite("What doctor says of who is who") struct IdentityDoctorTests {
    @Test("names users with one reference or without any, and time zones that nobody knows, over the whole table")
    func found() async throws {
        try await Stage.run { stage in
            _ = try await stage.command("migrate")
            try await stage.run(
                """
                INSERT INTO users (id, email, time_zone, deleted_at) VALUES
                    (1, 'ada@x', 'Europe/Berlin', NULL), (2, ' ADA@X', 'Berlin time', NULL), (3, 'bob@x', 'Berlin time', NULL),
                    (4, '', NULL, NULL), (5, 'cy@x', 'Eastern Time (US & Canada)', NULL), (6, 'ada@x', 'Mars', now())
                """)
            let report = try await DoctorTests.report(stage, exit: 1)
            DoctorTests.expect(report, "duplicates", "warn", "1 reference is had by 2 users", "1 and 2")
            DoctorTests.expect(report, "references", "warn", "1 user in scope has no reference (1 blank): 4.")
            DoctorTests.expect(
                report, "time_zones", "warn", "2 users have a time zone", "\"Berlin time\" (2)", "left out")
            #expect(!report.checks.contains { $0.all.contains("ada@") || $0.all.contains("Mars") })
        }
    }

    @Test("is a warning with what follows, in each policy, and nothing where nothing is wrong")
    func judged() {
        let census = TimeZoneCensus(counts: [("PST", 3), ("Europe/Paris", 9)], isComplete: true)
        let verdicts = ValueRules.InvalidTimeZone.allCases.map { census.check($0) }
        #expect(verdicts.allSatisfy { $0.verdict == .warn && $0.finding.contains("\"PST\" (3).") })
        #expect(Set(verdicts.map(\.hint)).count == 3)
        #expect(TimeZoneCensus(counts: [("UTC", 1)], isComplete: true).check(.omit).verdict == .ok)
        #expect(ReferenceDuplicates(references: 0, users: 0, samples: []).check.verdict == .ok)
        #expect(MissingReferences(null: 0, blank: 0, unreadable: 0, samples: []).check.verdict == .ok)
    }
}
