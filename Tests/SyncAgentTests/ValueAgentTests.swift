import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("An agent with rules for values") struct ValueAgentTests {
    /// Runs agents until nothing is due, under the rules.
    private static func run(_ rules: ValueRules = ValueRules(), _ body: @Sendable (Bench) async throws -> Void)
        async throws
    {
        try await Bench.run(mapping: .users.with(rules), body)
    }

    @Test("sends what the rules make of the columns, and pushes nobody whose text only changed its spelling")
    func spellings() async throws {
        try await Self.run(ValueRules(constants: [.companyName: "Acme"])) { bench in
            try await bench.fixture.run(
                """
                INSERT INTO users (id, email, first_name, time_zone) VALUES
                (1, 'zoe@x', U&'Zo\\00EB', 'Eastern Time (US & Canada)'), (2, 'bo@x', E'Bo\\tB', 'UTC-03:00')
                """)
            #expect(try await bench.runUntilIdle() == .idle)
            let zoe = try #require(bench.sandbox.subscriber(reference: "zoe@x")?.profile)
            #expect(zoe == ["first_name": "Zo\u{EB}", "time_zone": "America/New_York", "company_name": "Acme"])
            let bo = try #require(bench.sandbox.subscriber(reference: "bo@x")?.profile)
            #expect(bo == ["first_name": "Bo B", "time_zone": "Etc/GMT+3", "company_name": "Acme"])
            try await bench.fixture.run(
                """
                UPDATE users SET first_name = U&'Zoe\\0308 ', time_zone = 'US/Eastern' WHERE id = 1;
                UPDATE users SET first_name = 'Bo B', time_zone = 'gmt -3' WHERE id = 2
                """)
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(bench.sandbox.statistics().requests == 2)
            #expect(
                try await bench.fixture.column(
                    "SELECT outcome FROM subscriber_sync.log WHERE user_key IS NOT NULL ORDER BY id")
                    == ["accepted", "accepted", "unchanged", "unchanged"])
        }
    }

    @Test("leaves an unknown time zone out without clearing the one before, and says so until it is mended")
    func leavesOut() async throws {
        try await Self.run { bench in
            try await bench.fixture.run(
                "INSERT INTO users (id, email, first_name, time_zone) VALUES (1, 'a@x', 'Ada', 'Europe/Berlin')")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.fixture.run("UPDATE users SET time_zone = 'Mars/Olympus', first_name = 'Eve'")
            #expect(try await bench.runUntilIdle() == .idle)
            let profile = bench.sandbox.subscriber(reference: "a@x")?.profile
            #expect(profile == ["first_name": "Eve", "time_zone": "Europe/Berlin"])
            let row = "SELECT status || ' ' || coalesce(last_error_code, 'none') FROM subscriber_sync.subscriber"
            #expect(try await bench.fixture.value(row) == "synced invalid_time_zone")
            try await bench.fixture.run("UPDATE users SET time_zone = 'Berlin'")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(try await bench.fixture.value(row) == "synced none")
            #expect(bench.sandbox.statistics().requests == 2)
            try await bench.fixture.run("UPDATE users SET time_zone = NULL")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(bench.sandbox.subscriber(reference: "a@x")?.profile["time_zone"] == "")
        }
    }

    @Test("holds a user with an unknown time zone where it is told to, and lets go once it is mended")
    func holds() async throws {
        try await Self.run(ValueRules(invalidTimeZone: .hold)) { bench in
            try await bench.fixture.run("INSERT INTO users (id, email, time_zone) VALUES (1, 'a@x', 'PST')")
            #expect(try await bench.runUntilIdle() == .idle)
            #expect(try await bench.status("1") == "held" && bench.sandbox.statistics().requests == 0)
            #expect(
                try await bench.fixture.value("SELECT last_error_code FROM subscriber_sync.subscriber")
                    == "invalid_time_zone")
            try await bench.fixture.run("UPDATE users SET time_zone = 'PST8PDT'")
            #expect(try await bench.runUntilIdle() == .idle)
            try await bench.agrees()
            #expect(try await bench.status("1") == "synced")
        }
    }
}
