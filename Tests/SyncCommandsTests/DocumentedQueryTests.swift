import Foundation
import TestSupport
import Testing

/// Each block of SQL in the documentation is run on a migrated database.
@Suite("The documentation's SQL") struct DocumentedQueryTests {
    private static func blocks() throws -> [Page.Block] {
        try Page.all().flatMap(\.blocks).filter { $0.language == "sql" }
    }

    private static func statements(of block: Page.Block) -> [String] {
        block.text.components(separatedBy: ";\n").map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: "; \n"))
        }.filter { !$0.isEmpty }
    }

    /// Whether it only asks.
    private static func isQuery(_ block: Page.Block) -> Bool {
        statements(of: block).allSatisfy {
            ($0.hasPrefix("SELECT") || $0.hasPrefix("WITH")) && !$0.contains("watch()")
        }
    }

    @Test("that only asks finds something where there is something to find, and changes nothing")
    func queries() async throws {
        let blocks = try Self.blocks().filter(Self.isQuery)
        #expect(blocks.count > 15)
        try await Fixture.run { fixture in
            try await fixture.run(Self.everything)
            for block in blocks {
                for statement in Self.statements(of: block) {
                    // What changes something can't stand in brackets.
                    let count = try await fixture.value("SELECT count(*)::text FROM (\(statement)) AS asked")
                    #expect(count != "0", "\(block): \(statement)")
                }
            }
        }
    }

    @Test("that changes something is understood, and may be taken back")
    func changes() async throws {
        let blocks = try Self.blocks().filter { !Self.isQuery($0) }
        #expect(blocks.count >= 3)
        try await Fixture.run { fixture in
            for block in blocks {
                // Roles belong to the server; those that are dropped have to be there first.
                let roles = block.text.matches(of: #/DROP ROLE ([a-z_, ]+);/#).flatMap { $0.1.split(separator: ", ") }
                let made = roles.map { "CREATE ROLE \($0);" }.joined()
                try await fixture.run("BEGIN; SET LOCAL search_path = public; \(made) \(block.text)\n; ROLLBACK")
            }
            #expect(try await fixture.value("SELECT count(*)::text FROM subscriber_sync.capture_trigger_found") == "5")
        }
    }

    /// Users in every state, with a past.
    private static let everything = """
        INSERT INTO users (id, email, title) SELECT i, 'u' || i || '@x', 'T' FROM generate_series(40, 60) i;
        INSERT INTO subscriber_sync.subscriber (user_key, reference, subscriber_id, standing, due_at, changed_at, synced_at,
            admitted_at, last_error_code, last_error, held_fields)
        VALUES
            ('42', 'ada@x', gen_random_uuid(), 'synced', NULL, now() - interval '2 s', now(), now() - interval '2 days',
                NULL, NULL, NULL),
            ('43', 'bob@x', NULL, 'unsynced', now(), now(), NULL, NULL, NULL, NULL, NULL),
            ('44', 'ADA@x', NULL, 'held', NULL, now(), NULL, NULL, 'duplicate_reference', 'taken', NULL),
            ('45', 'eve@x', gen_random_uuid(), 'held', NULL, now(), now(), now() - interval '2 days', 'mass_change', 'many',
                '{job_title}'),
            ('46', 'fay@x', gen_random_uuid(), 'synced', NULL, now(), now(), now() - interval '1 hour', 'invalid_time_zone',
                'unknown', NULL),
            ('47', 'gil@x', NULL, 'rejected', NULL, now(), NULL, now(), 'invalid_parameter', 'no', NULL),
            ('48', 'hal@x', gen_random_uuid(), 'deleted', NULL, now(), now(), now() - interval '2 days', NULL, NULL, NULL);
        INSERT INTO subscriber_sync.pair (user_key, reference, subscriber_id, admitted_at, since)
            VALUES ('42', 'old@x', gen_random_uuid(), now() - interval '9 days', now() - interval '9 days');
        INSERT INTO subscriber_sync.log (user_key, reference, outcome, http_status, changed_fields, duration_ms, request_id)
            SELECT '42', 'ada@x', 'accepted', 200, '{job_title}', i, 'r' || i FROM generate_series(1, 30) i;
        INSERT INTO subscriber_sync.log (user_key, outcome, http_status, error_code, request_id)
            VALUES ('43', 'unavailable', 503, 'http_503', 'r99');
        INSERT INTO subscriber_sync.log (outcome, agent) VALUES ('paused', 'ada@host');
        INSERT INTO subscriber_sync.agent (id, host, pid, version, wake_up, wake_up_reason)
            VALUES ('a', 'h', 1, '1', 'notify', 'it hears its own notifications');
        INSERT INTO subscriber_sync.mapping (role, digest, mark, names, shown, digests)
            VALUES ('used', 'a', 'a', '{source.key}', '{id}', '{a}'), ('told', 'b', 'b', '{source.key}', '{key}', '{b}')
        """
}
