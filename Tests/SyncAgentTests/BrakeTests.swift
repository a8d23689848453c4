import Postgres
import SignalWireSandbox
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

@Suite("Brakes") struct BrakeTests {
    static func brakes(_ settings: inout AgentSettings) { settings.changedSharePercent = 30 }

    /// Users who were synced long ago.
    static func known(_ bench: Bench, _ count: Int) async throws {
        try await bench.fixture.run(
            "INSERT INTO users (id, email, title) SELECT i, 'u' || i || '@x', 'T' FROM generate_series(1, \(count)) i")
        #expect(try await bench.runUntilIdle() == .idle)
        try await bench.fixture.run(
            """
            UPDATE subscriber_sync.subscriber SET admitted_at = now() - interval '2 days',
                changed_at = now() - interval '2 days'
            """)
    }

    static func held(_ bench: Bench) async throws -> String? {
        try await bench.fixture.value(
            "SELECT count(*) FROM subscriber_sync.subscriber WHERE status = 'held' AND last_error_code = 'mass_change'")
    }

    static func control(_ bench: Bench) -> FleetControl {
        FleetControl(session: bench.fixture.session, operatorName: "me")
    }

    @Test("hold what looks like a bad migration, let new users and resyncs pass, and push it when approved")
    func blast() async throws {
        try await Bench.run { bench in
            try await Self.known(bench, 300)
            try await bench.fixture.run("UPDATE users SET title = 'Dr' WHERE id <= 90")
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(try await Self.held(bench) == "0", "as many as allowed")
            try await bench.fixture.run("UPDATE users SET title = 'Oops' WHERE id > 90")
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(try await Self.held(bench) == "210")
            #expect(bench.sandbox.statistics().requests == 390, "not one of them was sent")
            let status = try await FleetStatus.read(in: bench.fixture.session)
            #expect(status.brakes.changed == 300 && status.brakes.known == 300 && status.brakes.heldChanged == 210)
            #expect(status.brakes.sample == ["100", "101", "102", "103", "104"])
            #expect(status.brakes.fields.map(\.field) == ["job_title"] && status.brakes.fields.map(\.users) == [210])
            #expect(
                try await bench.fixture.value(
                    "SELECT changed_fields::text FROM subscriber_sync.log WHERE error_code = 'mass_change' AND user_key = '91'"
                )
                    == "{job_title}")

            try await bench.fixture.run("INSERT INTO users (id, email) VALUES (900, 'new@x')")
            let store = try await bench.fixture.store()
            _ = try await store.resync([UserKey("200")], isForced: false)
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(try await bench.status("900") == "synced")
            #expect(try await bench.status("200") == "synced")

            #expect(try await Self.control(bench).approve() == Judgement(changed: 209, new: 0))
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            try await bench.agrees()
            await store.close()
        }
    }

    @Test("hold a mass change before the first of it is sent, though one claim folds too few of it to tell")
    func massBeyondOneFold() async throws {
        try await Bench.run { bench in
            let count = 4 * Store.foldLimit
            #expect(Store.foldLimit < count * 30 / 100)
            try await Self.known(bench, count)
            try await bench.withAgent(change: Self.brakes) { _ in
                // From here on it has counted, and there is room.
                try await bench.fixture.run("UPDATE users SET title = 'Dr' WHERE id = 1")
                try await bench.sees("u1@x", "job_title", "Dr")
                try await bench.fixture.run("UPDATE users SET title = 'Oops'")
                try await eventually(within: .seconds(30), "all are held") {
                    try await Self.held(bench) == String(count)
                }
            }
            #expect(bench.sandbox.statistics().requests == count + 1, "not one of them was sent")
        }
    }

    /// What an agent finds that was not there while everybody changed.
    enum Absence: String, CaseIterable, Sendable {
        /// Nothing was folded, and then somebody changed who has nothing to do with it.
        case nobodyFolded
        /// Another folded it, without reading the source.
        case folded

        func pass(_ bench: Bench) async throws {
            switch self {
            case .nobodyFolded:
                try await bench.fixture.run(
                    """
                    UPDATE subscriber_sync.change SET changed_at = now() - interval '20 minutes';
                    UPDATE public.users SET title = 'Later' WHERE id = 5
                    """)
            case .folded:
                let store = try await bench.fixture.store("other")
                #expect(try await store.fold() == 300)
                await store.close()
                try await bench.fixture.run(
                    "UPDATE subscriber_sync.subscriber SET changed_at = now() - interval '20 minutes'")
            }
        }
    }

    @Test("hold what changed while no agent ran, or none could read it", arguments: Absence.allCases)
    func absent(_ absence: Absence) async throws {
        try await Bench.run { bench in
            try await Self.known(bench, 300)
            try await bench.fixture.run("UPDATE users SET title = 'Oops'")
            try await absence.pass(bench)
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(try await Self.held(bench) == "300")
            #expect(bench.sandbox.statistics().requests == 300, "not one of them was sent")
        }
    }

    @Test("leave a rejected mass change unsent, and take the next change of a user as any other")
    func rejects() async throws {
        try await Bench.run { bench in
            try await Self.known(bench, 200)
            try await bench.fixture.run("UPDATE users SET title = 'Oops'")
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(try await Self.control(bench).reject() == Judgement(changed: 200, new: 0))
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(bench.sandbox.statistics().requests == 200)
            try await bench.fixture.run("UPDATE users SET title = 'Dr' WHERE id = 7")
            #expect(try await bench.runUntilIdle(change: Self.brakes) == .idle)
            #expect(bench.sandbox.subscriber(reference: "u7@x")?.profile["job_title"] == "Dr")
            #expect(bench.sandbox.statistics().requests == 201)
        }
    }

    @Test("hold new subscribers beyond the limit until they are approved, and no more than those")
    func cost() async throws {
        try await Bench.run { bench in
            let limit: @Sendable (inout AgentSettings) -> Void = { $0.newSubscriberLimit = 5 }
            try await bench.fixture.run(
                "INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 12) i")
            #expect(try await bench.runUntilIdle(change: limit) == .idle)
            #expect(bench.sandbox.statistics().created == 5)
            #expect(try await Self.control(bench).approve() == Judgement(changed: 0, new: 7))
            #expect(try await bench.runUntilIdle(change: limit) == .idle)
            #expect(bench.sandbox.statistics().created == 12)
            try await bench.fixture.run("INSERT INTO users (email) VALUES ('one.more@x')")
            #expect(try await bench.runUntilIdle(change: limit) == .idle)
            #expect(bench.sandbox.statistics().created == 12)
            #expect(try await Self.control(bench).reject() == Judgement(changed: 0, new: 1))
            #expect(try await Self.control(bench).approve() == Judgement(changed: 0, new: 0))
        }
    }

    @Test("pause when users in a row are rejected alike, and push them again after resume")
    func suspicion() async throws {
        try await Bench.run(faults: ["status=422,code=must_belong_to_project"]) { bench in
            try await bench.fixture.run(
                "INSERT INTO users (email) SELECT 'u' || i || '@x' FROM generate_series(1, 90) i")
            let breaker: @Sendable (inout AgentSettings) -> Void = {
                $0.dispatcher.equalRejections = 5
                $0.dispatcher.concurrency = 2
            }
            #expect(try await bench.runUntilIdle(change: breaker) == .paused)
            #expect(bench.sandbox.statistics().requests <= 8)
            #expect(
                try await bench.fixture.value("SELECT pause_kind FROM subscriber_sync.control") == "suspicious")
            bench.sandbox.setFaults([])
            try await Self.control(bench).resume()
            #expect(try await bench.runUntilIdle(change: breaker) == .idle)
            try await bench.agrees()
        }
    }
}
