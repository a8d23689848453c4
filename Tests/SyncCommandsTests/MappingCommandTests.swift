import Postgres
import SignalWireSandbox
import TestSupport
import Testing

@Suite("The commands, once the mapping changed") struct MappingCommandTests {
    /// The title from another column, no time zone any more, and a condition with a value in it.
    static let changed = [
        "SOURCE_FIELDS_JOB_TITLE": "notes", "SOURCE_FIELDS_TIME_ZONE": "", "SOURCE_WHERE": "notes <> 'Planted'",
    ]

    /// Nine users who were synced by the mapping of before.
    static func synced(_ stage: Stage) async throws {
        try await stage.run(
            """
            INSERT INTO users (email, title, time_zone, notes) SELECT 'u' || i || '@x', 'T', 'Europe/Rome', CASE
                WHEN i <= 3 THEN 'T' WHEN i <= 5 THEN '' WHEN i = 9 THEN 'Planted' ELSE 'N' END
            FROM generate_series(1, 9) i
            """)
        _ = try await stage.command("migrate")
        _ = try await stage.command("resync", "--all", "--yes")
        #expect(try await stage.command("run", "--until-idle").status == 0)
        #expect(stage.sandbox.statistics().requests == 9)
    }

    @Test("say which settings differ and since when, foresee what a resync means, and are content after it")
    func resyncs() async throws {
        try await Stage.run { stage in
            try await Self.synced(stage)
            let early = try await stage.command("resync", "--all", "--dry-run", changing: Self.changed)
            #expect(early.err.contains("the agents send by another mapping than these settings say"))
            #expect(try await stage.command("run", "--until-idle", changing: Self.changed).status == 0)
            #expect(stage.sandbox.statistics().requests == 9, "nobody is pushed by it")
            let status = try await stage.command("status")
            #expect(status.status == 75 && status.out.contains("the mapping changed"))
            #expect(status.out.contains("job_title is mapped to notes instead of title"))
            #expect(status.out.contains("time_zone is no longer mapped, it was to time_zone"))
            #expect(status.out.contains("source.where is another") && !status.out.contains("Planted"))
            let json = try await stage.command("status", "--format", "json").out
            #expect(
                json.contains(
                    #"{"setting": "source.fields.job_title", "change": "changed", "before": "title", "after": "notes"}"#
                ))
            let preview = try await stage.command("resync", "--all", "--dry-run", changing: Self.changed)
            #expect(preview.err.isEmpty)
            #expect(
                preview.out == """
                    resync                  users  such as
                    create                  0
                    update                  5      4, 5, 6, 7, 8
                      job_title             5
                    of these, clear         2      4, 5
                      job_title             2
                    skip (nothing changed)  3      1, 2, 3
                    hold                    0
                    out of scope            1      9

                    """)
            let marked = try await stage.command("resync", "--all", changing: Self.changed)
            #expect(marked.out == "marked 8 users\nthe changed mapping goes to all of them\n", "\(marked.err)")
            #expect(try await stage.command("run", "--until-idle", changing: Self.changed).status == 0)
            #expect(try await stage.command("status").out.hasPrefix("health  ok\n"))
            #expect(stage.sandbox.statistics().requests == 14)
        }
    }

    @Test("leave users as they are once it is rejected")
    func rejects() async throws {
        try await Stage.run { stage in
            try await Self.synced(stage)
            #expect(try await stage.command("reject").out == "nothing is held\n")
            #expect(try await stage.command("run", "--until-idle", changing: Self.changed).status == 0)
            #expect(
                try await stage.command("reject").out
                    == "rejected: the changed mapping is used for users only as they change\n")
            #expect(try await stage.command("status").status == 0)
            #expect(try await stage.command("run", "--until-idle", changing: Self.changed).status == 0)
            #expect(stage.sandbox.statistics().requests == 9)
        }
    }
}
