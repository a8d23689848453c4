import Postgres
import SignalWireSandbox
import SyncCore
import SyncStore
import TestSupport
import Testing

/// Each test is a row of the table in `Events`, under that row's name.
@Suite("Events") struct EventTests {
    @Test("a row is inserted in scope")
    func inserted() async throws {
        try await EventBench.run { events in
            try await events.happens("INSERT INTO users (id, email, title) VALUES (3, 'c@x', 'Nurse')")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x", "3 synced c@x"])
            #expect(events.created == 3 && events.title("c@x") == "Nurse")
        }
    }

    @Test("a row is inserted out of scope")
    func insertedOutside() async throws {
        try await EventBench.run { events in
            try await events.happens("INSERT INTO users (id, email, deleted_at) VALUES (3, 'c@x', now())")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x", "3 out_of_scope -"])
            #expect(events.created == 2)
            let rows = try await events.bench.fixture.column(
                "SELECT s::text FROM subscriber_sync.subscriber s UNION ALL SELECT l::text FROM subscriber_sync.log l")
            #expect(
                rows.allSatisfy { $0?.contains("c@x") == false }, "of whom isn't synced nothing but the key is kept")
        }
    }

    @Test("a mapped column changes")
    func changes() async throws {
        try await EventBench.run { events in
            try await events.happens("UPDATE users SET title = 'Countess' WHERE id = 1")
            #expect(events.title("a@x") == "Countess" && events.title("b@x") == "Dr")
            #expect(events.created == 2 && events.calls == 3)
        }
    }

    @Test("a mapped column becomes blank; values.cleared: send_empty")
    func clears() async throws {
        try await EventBench.run { events in
            try await events.happens("UPDATE users SET title = NULL WHERE id = 1")
            #expect(events.title("a@x")?.isEmpty == true)
        }
    }

    @Test("a mapped column becomes blank; values.cleared: omit")
    func omits() async throws {
        try await EventBench.run(PushRules(cleared: .omit)) { events in
            try await events.happens("UPDATE users SET title = NULL WHERE id = 1")
            #expect(events.title("a@x") == "Eng")
        }
    }

    @Test("the row leaves the scope")
    func leavesScope() async throws {
        try await EventBench.run { events in
            try await events.happens("UPDATE users SET deleted_at = now(), title = 'Secret' WHERE id = 1")
            #expect(try await events.states() == ["1 out_of_scope a@x", "2 synced b@x"])
            #expect(try await events.told("1") == #"{"job_title": null}"#)
            #expect(events.calls == 2 && events.title("a@x") == "Eng")
        }
    }

    @Test("the row returns to the scope")
    func returnsToScope() async throws {
        try await EventBench.run { events in
            try await events.happens("UPDATE users SET deleted_at = now() WHERE id = 1")
            try await events.happens(
                "UPDATE users SET deleted_at = NULL, title = NULL, first_name = 'Ada' WHERE id = 1")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2)
            #expect(events.title("a@x")?.isEmpty == true, "what it has of before is cleared")
        }
    }

    @Test("the row is deleted")
    func deleted() async throws {
        try await EventBench.run { events in
            try await events.happens("DELETE FROM users WHERE id = 1")
            #expect(try await events.states() == ["1 deleted a@x", "2 synced b@x"])
            #expect(try await events.told("1") == #"{"job_title": null}"#)
            #expect(events.calls == 2)
        }
    }

    @Test("a deleted row comes back under its key")
    func comesBack() async throws {
        try await EventBench.run { events in
            try await events.happens("DELETE FROM users WHERE id = 1")
            try await events.happens("INSERT INTO users (id, email, first_name) VALUES (1, 'a@x', 'Ada')")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2 && events.title("a@x")?.isEmpty == true)
        }
    }

    @Test("a deleted row comes back under another key")
    func comesBackAsAnother() async throws {
        try await EventBench.run { events in
            try await events.happens("DELETE FROM users WHERE id = 1")
            try await events.happens("INSERT INTO users (id, email, first_name) VALUES (3, 'a@x', 'Ada')")
            #expect(try await events.states() == ["1 deleted -", "2 synced b@x", "3 synced a@x"])
            #expect(try await events.former() == ["1 a@x"])
            #expect(events.created == 2 && events.title("a@x")?.isEmpty == true)
            // Should the first key return with the reference as well, there is one too many.
            try await events.happens("INSERT INTO users (id, email) VALUES (1, 'a@x')")
            #expect(try await events.states().first == "1 held duplicate_reference")
            try await events.happens("DELETE FROM users WHERE id = 3")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x", "3 deleted -"])
            #expect(events.created == 2)
        }
    }

    @Test("the key changes")
    func keyChanges() async throws {
        try await EventBench.run { events in
            try await events.happens("UPDATE users SET id = 9, title = 'Countess' WHERE id = 1")
            #expect(try await events.states() == ["1 deleted -", "2 synced b@x", "9 synced a@x"])
            #expect(events.created == 2 && events.title("a@x") == "Countess")
        }
    }

    @Test("the reference becomes blank")
    func referenceBlank() async throws {
        try await EventBench.run { events in
            try await events.happens("UPDATE users SET email = ' ' WHERE id = 1")
            #expect(try await events.states() == ["1 held missing_reference", "2 synced b@x"])
            try await events.happens("UPDATE users SET email = 'a@x', title = 'Countess' WHERE id = 1")
            #expect(try await events.states() == ["1 synced a@x", "2 synced b@x"])
            #expect(events.created == 2 && events.title("a@x") == "Countess")
        }
    }

    @Test("a deleted user is forgotten")
    func forgotten() async throws {
        try await EventBench.run { events in
            try await events.happens("DELETE FROM users WHERE id = 1")
            let store = try await events.bench.fixture.store("operator")
            #expect(try await store.forget(UserKey("2")) == .inScope)
            #expect(try await store.forget(UserKey("1")) == .forgotten(logRows: 2, hadSubscriber: true))
            #expect(try await store.forget(UserKey("1")) == .unknown)
            await store.close()
            #expect(try await events.states() == ["2 synced b@x"])
            for table in ["subscriber", "log", "pair", "change"] {
                let rows = try await events.bench.fixture.column("SELECT t::text FROM subscriber_sync.\(table) t")
                #expect(rows.allSatisfy { $0?.contains("a@x") == false }, "\(table)")
            }
            #expect(
                try await events.bench.fixture.value(
                    "SELECT user_key IS NULL FROM subscriber_sync.log WHERE outcome = 'forgotten'") == "t")
            #expect(events.bench.sandbox.subscriber(reference: "a@x") != nil, "this program never deletes there")
        }
    }
}
