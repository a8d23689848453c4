import Postgres
import TestSupport
import Testing

@Suite("Values")
struct RoundTripTests {
    @Test("Each scalar comes back as it went", .timeLimit(.minutes(1)))
    func scalars() async throws {
        try await withSession { session, _ in
            let statement = Statement<Scalars>(
                "scalars", "SELECT $1::text, $2::bigint, $3::boolean, $4::double precision, $5::int"
            ) { row throws(PostgresError) in try Scalars(row) }
            for one in Scalars.samples {
                let rows = try await session.query(statement, one.parameters)
                #expect(rows == [one])
            }
        }
    }

    @Test("NULL comes back as nil from every optional, and a null parameter is NULL")
    func nulls() async throws {
        try await withSession { session, _ in
            let statement = Statement<Bool>(
                "nulls", "SELECT $1::text, $2::bigint, $3::boolean, $4::float8, $5::text[], $6::int, $7::int"
            ) { row throws(PostgresError) in
                let texts = (try row.optionalText(0), try row.optionalTextArray(4))
                let numbers = (try row.optionalBigint(1), try row.optionalDouble(3), try row.optionalInteger(5))
                let (boolean, isNull) = (try row.optionalBoolean(2), try row.isNull(6))
                return texts == (nil, nil) && numbers == (nil, nil, nil) && boolean == nil && isNull
            }
            let rows = try await session.query(
                statement,
                [
                    .optionalText(nil), .optionalBigint(nil), .optionalBoolean(nil), .optionalDouble(nil), .null, nil,
                    .null,
                ])
            #expect(rows == [true])
        }
    }

    @Test(
        "An array of texts comes back whatever its elements hold",
        arguments: [
            [], [nil], [""], ["NULL"], ["null", nil], ["a,b", "{c}", "d\"e", "f\\g", "h'i", " j ", "k\nl"],
            ["😀", "ä\u{301}", "\u{202E}x"], ["\"", "\\", "\\\"", "\u{301}\""], ["{", "}", "{}", ","],
        ] as [[String?]])
    func textArrays(elements: [String?]) async throws {
        try await withSession { session, _ in
            let statement = Statement<[String?]>("texts", "SELECT $1::text[]") { row throws(PostgresError) in
                try row.textArray(0)
            }
            let rows = try await session.query(statement, [.textArray(elements)])
            #expect(rows == [elements])
        }
    }

    @Test("Arrays of numbers and truths come back")
    func otherArrays() async throws {
        try await withSession { session, _ in
            let numbers: [Int64?] = [.min, nil, 0, .max]
            let statement = Statement<[Int64?]>("numbers", "SELECT $1::bigint[]") { row throws(PostgresError) in
                try row.bigintArray(0)
            }
            let rows = try await session.query(statement, [.bigintArray(numbers)])
            #expect(rows == [numbers])
            let truths = try await session.query(
                text("SELECT $1::boolean[]::text"), [.booleanArray([true, nil, false])])
            #expect(truths == ["{t,NULL,f}"])
        }
    }

    @Test("An array that does not begin at 1 is read, and one of two dimensions is refused")
    func unusualArrays() async throws {
        try await withSession { session, _ in
            let statement = { (sql: String) in
                Statement<[String?]>("array", sql) { row throws(PostgresError) in try row.textArray(0) }
            }
            let rows = try await session.query(statement("SELECT '[0:1]={a,b}'::text[]"))
            #expect(rows == [["a", "b"]])
            let error = await failure { () throws(PostgresError) in
                try await session.query(statement("SELECT '{{a},{b}}'::text[]"))
            }
            #expect(error?.code == .unexpectedResult)
        }
    }

    @Test("A text with a NUL is refused before anything is sent, and not cut off")
    func nul() async throws {
        try await withSession { session, _ in
            let inParameter = await failure { () throws(PostgresError) in
                try await session.query(text("SELECT $1::text"), ["planted\0value"])
            }
            #expect(inParameter?.code == .invalidParameter)
            let inScript = await failure { () throws(PostgresError) in
                try await session.executeScript("SELECT 1;\0 SELECT 2", name: "cut")
            }
            #expect(inScript?.code == .invalidParameter)
            #expect(inParameter.map { !everyForm(of: $0).contains("planted") } == true)
        }
    }

    @Test("A command tells how many rows it touched")
    func affectedRows() async throws {
        try await withSession { session, _ in
            try await session.executeScript("CREATE TABLE public.t (n int)", name: "table")
            let insert = Statement<Void>("insert", "INSERT INTO public.t SELECT generate_series(1, $1::int)")
            let touched = try await session.execute(insert, [7])
            #expect(touched == 7)
            let rows: [Void] = try await session.query(Statement<Void>("all", "SELECT n FROM public.t"))
            #expect(rows.count == 7)
        }
    }

    @Test("A megabyte goes and comes back")
    func large() async throws {
        try await withSession { session, _ in
            let large = String(repeating: "0123456789äöü✓\\\"", count: 60_000)
            let rows = try await session.query(text("SELECT $1::text"), [.text(large)])
            #expect(rows == [large])
        }
    }

    @Test("A quoted literal and a quoted identifier mean to the server what they meant to us")
    func quoting() async throws {
        try await withSession { session, _ in
            for name in ["plain", "Upper Case", "q\"d", "q'd", "back\\slash", "ü😀", "select", "a\u{301}\"\u{301}"] {
                // The second row is the column's name, as the server has it.
                let statement = Statement<String>(
                    "quoted",
                    """
                    SELECT \(quoteLiteral(name)) UNION ALL
                    SELECT json_object_keys(row_to_json(r)) FROM (SELECT 1 AS \(quoteIdentifier(name))) r
                    """
                ) { row throws(PostgresError) in try row.text(0) }
                let rows = try await session.query(statement)
                #expect(rows == [name, name])
            }
        }
    }
}

private struct Scalars: Sendable, Equatable {
    let text: String
    let bigint: Int64
    let boolean: Bool
    let double: Double
    let integer: Int

    static let samples = [
        Scalars(text: "", bigint: .min, boolean: true, double: 0.1, integer: 0),
        Scalars(text: "O'Brien \\ \"x\" {}; -- 😀\n\t", bigint: .max, boolean: false, double: -.infinity, integer: -1),
        Scalars(text: "NULL", bigint: 0, boolean: true, double: .leastNonzeroMagnitude, integer: 1),
        Scalars(text: "\u{FEFF}e\u{301}", bigint: -1, boolean: false, double: .greatestFiniteMagnitude, integer: 2),
    ]

    var parameters: [Parameter] {
        [.text(text), .bigint(bigint), .boolean(boolean), .double(double), .bigint(Int64(integer))]
    }
}

extension Scalars {
    init(_ row: borrowing RowReader) throws(PostgresError) {
        self.init(
            text: try row.text(0), bigint: try row.bigint(1), boolean: try row.boolean(2), double: try row.double(3),
            integer: try row.integer(4))
    }
}
