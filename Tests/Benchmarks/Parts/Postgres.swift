import Benchmark

@testable import Postgres
@testable import SyncCore
@testable import SyncStore

/// The libpq layer, on the server that the variable DATABASE_URL names.
func measurePostgres() {
    let one = Statement("one", "SELECT 1", planning: .once) { row throws(PostgresError) in try row.integer(0) }
    Benchmark("libpq, one round trip", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let connection = try await opened()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try await connection.query(one, [])) }
    }
    Benchmark("ClaimDecoder, 100 claims in one libpq statement", configuration: .init(scalingFactor: .kilo)) {
        benchmark in
        let connection = try await opened()
        let claims = claims(100)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try await connection.query(claims, [])) }
    }
}

private func opened() async throws -> Connection {
    try await Connection.open(ConnectionSettings(dsn: "", applicationName: "benchmark"))
}

/// Rows as the claim's statement has them, of users as most are, without the work of finding them.
private func claims(_ count: Int) -> Statement<Claim> {
    let decoder = ClaimDecoder(columns: [.firstName, .lastName, .jobTitle, .companyName, .timeZone])
    let text = """
        SELECT i::text, 1::bigint, 1::bigint, 1, 'synced', 'ada@example.com', true,
            '5b0f1a34-7b7c-4d52-9f0e-3a1f6f1e2d11', false, '{first_name,last_name}'::text[],
            '{0011223344556677,8899aabbccddeeff}'::text[], false, '{}'::text[], NULL::text,
            'ada@example.com', true, 'Ada', 'Lovelace', 'Engineer', 'Analytical Engines Ltd.', 'Europe/London', true
        FROM generate_series(1, \(count)) AS i
        """
    return Statement("claims", text, planning: .once) { row throws(PostgresError) in try decoder.claim(row, from: 0) }
}
