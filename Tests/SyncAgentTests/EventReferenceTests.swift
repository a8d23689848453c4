import Postgres
import SyncAgent
import SyncCore
import SyncStore
import TestSupport
import Testing

/// Each test is a row of the table in `Events`, under that row's name.
@Suite("Events of references") struct EventReferenceTests {
    @Test("the reference changes; identity.on_reference_change: hold")
    func held() async throws {
        try await EventBench.run(onReferenceChange: .hold) { events in
            try await events.happens("UPDATE users SET email = 'c@x', title = 'Countess' WHERE id = 1")
            #expect(try await events.states() == ["1 held reference_changed", "2 synced b@x"])
            #expect(events.calls == 2 && events.title("a@x") == "Eng")
        }
    }

    @Test("the reference changes; identity.on_reference_change: new")
    func new() async throws {
        try await EventBench.run(onReferenceChange: .new) { events in
            try await events.happens("UPDATE users SET email = 'c@x', title = 'Countess' WHERE id = 1")
            #expect(try await events.states() == ["1 synced c@x", "2 synced b@x"])
            #expect(try await events.former() == ["1 a@x"])
            #expect(events.created == 3 && events.title("a@x") == "Eng" && events.title("c@x") == "Countess")
        }
    }

    @Test("an operator accepts the changed reference; identity.on_reference_change: hold")
    func accepted() async throws {
        try await EventBench.run(onReferenceChange: .hold) { events in
            try await events.happens(
                "UPDATE users SET email = 'c@x' WHERE id = 1; UPDATE users SET email = 'd@x' WHERE id = 2")
            try await events.accept(["1": "c@x"])
            #expect(try await events.states() == ["1 synced c@x", "2 held reference_changed"], "only the one")
            // The next one is held as before.
            try await events.happens("UPDATE users SET email = 'd@x' WHERE id = 1")
            #expect(try await events.states().first == "1 held reference_changed")
            #expect(events.created == 3)
        }
    }

    @Test("the reference changes and changes back; identity.on_reference_change: hold")
    func backHeld() async throws {
        try await EventBench.run(onReferenceChange: .hold) { events in
            try await events.happens("UPDATE users SET email = 'c@x' WHERE id = 1")
            try await events.happens("UPDATE users SET email = 'a@x', title = 'Countess' WHERE id = 1")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2 && events.title("a@x") == "Countess")
            // Back from one that was accepted: to a subscriber of their own, so nothing is asked.
            try await events.happens("UPDATE users SET email = 'c@x' WHERE id = 1")
            try await events.accept(["1": "c@x"])
            try await events.happens("UPDATE users SET email = 'a@x', title = NULL WHERE id = 1")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 3 && events.title("a@x")?.isEmpty == true)
        }
    }

    @Test("the reference changes and changes back; identity.on_reference_change: new")
    func backNew() async throws {
        try await EventBench.run(onReferenceChange: .new) { events in
            for round in 1...2 {
                try await events.happens("UPDATE users SET email = 'c@x', title = 'C\(round)' WHERE id = 1")
                try await events.happens("UPDATE users SET email = 'a@x', title = NULL WHERE id = 1")
            }
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(try await events.former() == ["1 c@x"])
            #expect(events.created == 3, "never a third for one who has had two")
            #expect(events.title("a@x")?.isEmpty == true && events.title("c@x") == "C2")
        }
    }

    @Test("the reference changes three times; identity.on_reference_change: hold")
    func chainHeld() async throws {
        try await EventBench.run(onReferenceChange: .hold) { events in
            for reference in ["c@x", "d@x", "e@x"] {
                try await events.happens("UPDATE users SET email = '\(reference)' WHERE id = 1")
                #expect(try await events.states().first == "1 held reference_changed")
            }
            #expect(events.created == 2)
        }
    }

    @Test("the reference changes three times; identity.on_reference_change: new")
    func chainNew() async throws {
        try await EventBench.run(onReferenceChange: .new) { events in
            for reference in ["c@x", "d@x"] {
                try await events.happens("UPDATE users SET email = '\(reference)' WHERE id = 1")
            }
            #expect(try await events.states().first == "1 synced d@x")
            #expect(try await events.former() == ["1 a@x", "1 c@x"])
            // The limit counts each of them, also those that were left since.
            try await events.bench.fixture.run("SET search_path = public; UPDATE users SET email = 'e@x' WHERE id = 1")
            let end = try await events.bench.runUntilIdle {
                $0.rules = events.rules
                $0.newSubscriberLimit = 4
            }
            #expect(end == .idle)
            #expect(try await events.states().first == "1 held new_subscriber_limit")
            #expect(events.created == 4)
        }
    }

    @Test("two users swap their references in one transaction; identity.on_reference_change: hold")
    func swapHeld() async throws {
        try await EventBench.run(onReferenceChange: .hold) { events in
            try await events.happens(Self.swap)
            #expect(try await events.states() == ["1 held reference_changed", "2 held reference_changed"])
            try await events.accept(["1": "b@x"])
            #expect(try await events.states() == ["1 held duplicate_reference", "2 held reference_changed"])
            try await events.accept(["2": "a@x"])
            #expect(try await events.states() == ["1 synced b@x", "2 synced a@x"])
            #expect(events.created == 2 && events.title("a@x") == "Dr" && events.title("b@x") == "Eng")
        }
    }

    @Test("two users swap their references in one transaction; identity.on_reference_change: new")
    func swapNew() async throws {
        try await EventBench.run(onReferenceChange: .new) { events in
            try await events.happens(Self.swap)
            #expect(try await events.states() == ["1 synced b@x", "2 synced a@x"])
            #expect(events.created == 2 && events.title("a@x") == "Dr" && events.title("b@x") == "Eng")
            try await events.happens(Self.swap)
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2 && events.title("a@x") == "Eng" && events.title("b@x") == "Dr")
        }
    }

    @Test("two users swap their references in two transactions; identity.on_reference_change: new")
    func swapInTwo() async throws {
        try await EventBench.run(onReferenceChange: .new) { events in
            try await events.happens("UPDATE users SET email = 'b@x' WHERE id = 1")
            #expect(try await events.states() == ["1 held duplicate_reference", "2 synced b@x"])
            try await events.happens("UPDATE users SET email = 'a@x' WHERE id = 2")
            #expect(try await events.states() == ["1 synced b@x", "2 synced a@x"])
            #expect(events.created == 2 && events.title("a@x") == "Dr" && events.title("b@x") == "Eng")
        }
    }

    static let swap = "UPDATE users SET email = CASE email WHEN 'a@x' THEN 'b@x' ELSE 'a@x' END"

    @Test("a second row has the same reference")
    func duplicate() async throws {
        try await EventBench.run { events in
            try await events.happens("INSERT INTO users (id, email, title) VALUES (0, ' A@X ', 'Nurse')")
            #expect(try await events.states() == ["0 held duplicate_reference", "1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2 && events.title("a@x") == "Eng")
            let store = try await events.bench.fixture.store("doctor")
            let found = try await store.duplicateReferences()
            #expect(found.references == 1 && found.users == 2)
            #expect(found.samples == [ReferenceDuplicates.Pair(UserKey("0"), UserKey("1"))])
            await store.close()
        }
    }

    @Test("the first of two with one reference is deleted")
    func firstDeleted() async throws {
        try await EventBench.run { events in
            try await events.happens("INSERT INTO users (id, email) VALUES (3, 'a@x'), (4, 'a@x')")
            try await events.happens("DELETE FROM users WHERE id = 1")
            #expect(
                try await events.states()
                    == ["1 deleted -", "2 synced b@x", "3 synced a@x", "4 held duplicate_reference"])
            #expect(events.created == 2)
        }
    }

    @Test("the first of two with one reference changes it; identity.on_reference_change: hold")
    func firstHeld() async throws {
        try await EventBench.run(onReferenceChange: .hold) { events in
            try await events.happens("INSERT INTO users (id, email) VALUES (3, 'a@x')")
            try await events.happens("UPDATE users SET email = 'c@x' WHERE id = 1")
            #expect(
                try await events.states()
                    == ["1 held reference_changed", "2 synced b@x", "3 held duplicate_reference"])
            try await events.accept(["1": "c@x"])
            #expect(try await events.states() == ["1 synced c@x", "2 synced b@x", "3 synced a@x"])
            #expect(events.created == 3)
        }
    }

    @Test("the first of two with one reference changes it; identity.on_reference_change: new")
    func firstNew() async throws {
        try await EventBench.run(onReferenceChange: .new) { events in
            try await events.happens("INSERT INTO users (id, email) VALUES (3, 'a@x')")
            try await events.happens("UPDATE users SET email = 'c@x' WHERE id = 1")
            #expect(try await events.states() == ["1 synced c@x", "2 synced b@x", "3 synced a@x"])
            #expect(events.created == 3 && events.title("a@x")?.isEmpty == true)
        }
    }

    @Test("the first of two with one reference leaves the scope")
    func firstOutOfScope() async throws {
        try await EventBench.run { events in
            try await events.happens("INSERT INTO users (id, email) VALUES (3, 'a@x')")
            try await events.happens("UPDATE users SET deleted_at = now() WHERE id = 1")
            #expect(
                try await events.states()
                    == ["1 out_of_scope a@x", "2 synced b@x", "3 held duplicate_reference"])
        }
    }
}
