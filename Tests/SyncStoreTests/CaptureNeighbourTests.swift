import Postgres
import SyncCore
import TestSupport
import Testing

@testable import SyncStore

@Suite("Capture beside other features of PostgreSQL") struct CaptureNeighbourTests {
    static func changes(_ fixture: Fixture) async throws -> [String?] { try await CaptureTests.changes(fixture) }

    @Test("the application may prepare its transactions, and then nobody knocks")
    func prepares() async throws {
        let server = try await PostgresServer.start(extraConfiguration: ["max_prepared_transactions": "5"])
        for comparison in CaptureDefinition.Comparison.allCases {
            try await Fixture.run(comparison: comparison, server: server) { fixture in
                try await fixture.run(
                    """
                    BEGIN; INSERT INTO users (id) VALUES (1); UPDATE users SET title = 'x'; DELETE FROM users;
                    TRUNCATE users; PREPARE TRANSACTION 'p'
                    """)
                #expect(try await Self.changes(fixture) == [])
                try await fixture.run("COMMIT PREPARED 'p'")
                #expect(Set(try await Self.changes(fixture)) == ["1"])
            }
        }
        try await server.stop()
    }

    @Test("a publication FOR ALL TABLES lets the application and us write on")
    func publishes() async throws {
        let server = try await PostgresServer.start(extraConfiguration: ["wal_level": "logical"])
        let mapping = RelatedTests.mapping
        try await Fixture.run(mapping: mapping, before: ProfileTests.companies, server: server) { fixture in
            try await fixture.run("CREATE PUBLICATION everything FOR ALL TABLES")
            let store = try await fixture.store()
            try await fixture.run("INSERT INTO users (id, email, company_id) VALUES (1, 'a@x', 1)")
            try await CaptureHardTests.accept(try #require(try await store.claims().first), in: store)
            try await fixture.run("UPDATE companies SET name = 'New'; DELETE FROM users; TRUNCATE users")
            #expect(try await store.expandRelated() > 0)
            #expect(try await ProfileTests.profiles(store) == ["1: gone"])
            try await store.sweepToRest()
            #expect(try await CaptureHardTests.requests(fixture) == [])
            try await fixture.installCapture(comparison: .row)
            await store.close()
        }
        try await server.stop()
    }

    @Test("a name in somebody's own schema is never taken for PostgreSQL's, whatever the search_path")
    func isNotHijacked() async throws {
        for comparison in CaptureDefinition.Comparison.allCases {
            try await Fixture.run(comparison: comparison) { fixture in
                try await fixture.run(
                    """
                    CREATE SCHEMA evil;
                    CREATE FUNCTION evil.concat(VARIADIC "any") RETURNS text LANGUAGE internal AS 'pg_typeof';
                    CREATE FUNCTION evil.lies(text, text) RETURNS boolean LANGUAGE plpgsql AS
                        $$BEGIN RAISE EXCEPTION 'hijacked'; END$$;
                    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.lies);
                    CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS
                        $$BEGIN RAISE EXCEPTION 'hijacked'; END$$;
                    CREATE FUNCTION evil.to_jsonb(anyelement) RETURNS jsonb LANGUAGE plpgsql AS
                        $$BEGIN RAISE EXCEPTION 'hijacked'; END$$;
                    CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false);
                    SET search_path = evil, public, pg_catalog;
                    INSERT INTO users (id, email) VALUES (1, 'a@x'); UPDATE users SET email = 'b@x'; DELETE FROM users;
                    SET search_path = public
                    """)
                #expect(try await Self.changes(fixture) == ["1", "1", "1"])
            }
        }
    }

    @Test("a cast that somebody made of the key's type never runs with our rights")
    func runsNoCast() async throws {
        try await Fixture.run { fixture in
            try await fixture.run(
                """
                CREATE TYPE public.pair AS (a int, b int);
                CREATE FUNCTION public.steal(public.pair) RETURNS text LANGUAGE plpgsql AS
                    $$BEGIN RAISE EXCEPTION 'stolen as %', current_user; END$$;
                CREATE CAST (public.pair AS text) WITH FUNCTION public.steal(public.pair) AS ASSIGNMENT;
                CREATE TABLE public.other (id public.pair);
                CREATE TRIGGER t AFTER INSERT ON public.other FOR EACH ROW EXECUTE FUNCTION subscriber_sync.capture_new();
                INSERT INTO public.other VALUES ((1, 2))
                """)
            #expect(try await Self.changes(fixture) == ["(1,2)"])
        }
    }
}
