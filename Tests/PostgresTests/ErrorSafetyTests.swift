import Postgres
import TestSupport
import Testing

@Suite("Errors never show a value")
struct ErrorSafetyTests {
    /// A statement that fails with the planted value at hand, and the condition that it fails with.
    struct Case: Sendable, CustomTestStringConvertible {
        let sqlState: String
        let sql: String
        var testDescription: String { sqlState }
    }

    private static let planted = "planted-secret"

    private static let tables = """
        CREATE TABLE public.parent (name text PRIMARY KEY);
        CREATE TABLE public.child (
            name text CONSTRAINT child_once UNIQUE, other text NOT NULL DEFAULT '',
            parent text REFERENCES public.parent, CONSTRAINT child_short CHECK (length(name) < 100));
        INSERT INTO public.child (name) VALUES ('planted-secret');
        CREATE FUNCTION public.shout(what text) RETURNS int LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no %', what USING HINT = what, DETAIL = what; END $$;
        CREATE DOMAIN public.small AS text CONSTRAINT small_text CHECK (length(value) < 3);
        """

    static let cases = [
        Case(sqlState: "22P02", sql: "SELECT $1::text::int"),
        Case(sqlState: "22P02", sql: "SELECT $1::uuid"),
        Case(sqlState: "22P02", sql: "SELECT $1::json"),
        Case(sqlState: "22007", sql: "SELECT $1::timestamptz"),
        Case(sqlState: "22023", sql: "SELECT set_config('TimeZone', $1, true)"),
        Case(sqlState: "2201B", sql: "SELECT 'x' ~ ('(' || $1)"),
        Case(sqlState: "23505", sql: "INSERT INTO public.child (name) VALUES ($1)"),
        Case(sqlState: "23502", sql: "INSERT INTO public.child (name, other) VALUES ($1 || 'x', NULL)"),
        Case(sqlState: "23503", sql: "INSERT INTO public.child (name, parent) VALUES ('n', $1)"),
        Case(sqlState: "23514", sql: "INSERT INTO public.child (name) VALUES (repeat($1, 20))"),
        Case(sqlState: "23514", sql: "SELECT $1::public.small"),
        Case(sqlState: "P0001", sql: "SELECT public.shout($1)"),
        Case(sqlState: "42P01", sql: "SELECT $1::text FROM public.nowhere"),
        Case(sqlState: "42703", sql: "SELECT $1::text, nothing"),
        Case(sqlState: "42883", sql: "SELECT nothing($1::text)"),
        Case(sqlState: "42804", sql: "SELECT CASE WHEN $1 = '' THEN 1 ELSE true END"),
    ]

    @Test("Whatever the server says, the value is not in the error", arguments: cases)
    func statement(_ one: Case) async throws {
        try await withSession { session, _ in
            try await session.executeScript(ErrorSafetyTests.tables, name: "tables")
            let error = await failure { () throws(PostgresError) in
                try await session.query(text(one.sql), [.text(ErrorSafetyTests.planted)])
            }
            let found = try #require(error)
            #expect(found.sqlState == one.sqlState)
            #expect(found.code == .statementFailed)
            #expect(!everyForm(of: found).contains("planted"))
            #expect(found.description.contains("Statement text failed"))
        }
    }

    @Test("A violated constraint is named, with its table and schema")
    func constraint() async throws {
        try await withSession { session, _ in
            try await session.executeScript(ErrorSafetyTests.tables, name: "tables")
            let insert = Statement<Void>("insert", "INSERT INTO public.child (name) VALUES ($1)")
            let error = await failure { () throws(PostgresError) in
                try await session.execute(insert, [.text(ErrorSafetyTests.planted)])
            }
            #expect(
                error?.message
                    == "Statement insert failed: unique violation, constraint \"child_once\", "
                    + "table \"public\".\"child\" (SQLSTATE 23505).")
        }
    }

    @Test("A missing table is named by the server's own words")
    func missingTable() async throws {
        try await withSession { session, _ in
            let error = await failure { () throws(PostgresError) in
                try await session.query(text("SELECT 1 FROM nowhere"))
            }
            #expect(error?.message == "Statement text failed: relation \"nowhere\" does not exist (SQLSTATE 42P01).")
        }
    }

    @Test("A script's error names the script and the line")
    func scriptLine() async throws {
        try await withSession { session, _ in
            let error = await failure { () throws(PostgresError) in
                try await session.executeScript("SELECT 1;\nSELECT 'ä';\n  SELECT nothing;", name: "V0007.sql")
            }
            #expect(error?.statement == "V0007.sql")
            #expect(error?.message.contains("V0007.sql failed at line 3: column \"nothing\" does not exist") == true)
        }
    }

    @Test("A column of another type is named, without what it holds")
    func mismatch() async throws {
        try await withSession { session, _ in
            let sql = "SELECT 1, 'planted' AS \"my column\""
            let readers: [Statement<String>] = [
                Statement("m", sql) { row throws(PostgresError) in "\(try row.bigint(1))" },
                Statement("m", sql) { row throws(PostgresError) in "\(try row.boolean(1))" },
                Statement("m", sql) { row throws(PostgresError) in "\(try row.double(1))" },
                Statement("m", sql) { row throws(PostgresError) in "\(try row.textArray(1))" },
                Statement("m", "SELECT 1, NULL AS \"my column\"") { row throws(PostgresError) in try row.text(1) },
            ]
            for reader in readers {
                let error = try #require(await failure { () throws(PostgresError) in try await session.query(reader) })
                #expect(error.code == .unexpectedResult)
                #expect(error.message.contains("Statement m") && error.message.contains("\"my column\""))
                #expect(!everyForm(of: error).contains("planted"))
            }
            let beyond = Statement<String>("m", "SELECT 1") { row throws(PostgresError) in try row.text(1) }
            let error = await failure { () throws(PostgresError) in try await session.query(beyond) }
            #expect(error?.code == .unexpectedResult)
        }
    }

    @Test("Settings and parameters print redacted")
    func redaction() {
        let settings = ConnectionSettings(dsn: "postgresql://u:planted@h/d", applicationName: "a")
        let parameters: [Parameter] = [
            .text("planted"), .optionalText("planted"), .textArray(["planted"]), .bigint(4711), .double(47.11),
        ]
        var shown = "\(settings) \(String(reflecting: settings)) \(parameters) \(String(reflecting: parameters))"
        dump(settings, to: &shown)
        dump(parameters, to: &shown)
        for secret in ["planted", "4711", "47.11", "postgresql:"] { #expect(!shown.contains(secret)) }
    }
}
