import NIOHTTP1
import Testing

@testable import SignalWire

@Suite("Retry-After")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT.
    private static let example: Int64 = 784_111_777

    @Test(
        "is read as seconds, within an hour",
        arguments: [
            ("0", 0), ("7", 7), (" 120 ", 120), ("007", 7), ("3600", 3600), ("3601", 3600),
            ("99999999999999999999999999", 3600),
        ])
    func seconds(text: String, expected: Int) {
        #expect(RetryAfter.duration(in: ["retry-after": text], now: 0) == .seconds(expected))
    }

    @Test(
        "is read as a date in all three forms",
        arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func dates(text: String) {
        #expect(HTTPDate(text, now: Self.example)?.unixSeconds == Self.example)
        #expect(RetryAfter.duration(in: ["Retry-After": text], now: Self.example - 30) == .seconds(30))
    }

    @Test("is measured against the answer's own Date, not against our clock")
    func serverClock() {
        let headers: HTTPHeaders = [
            "Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
        ]
        #expect(RetryAfter.duration(in: headers, now: Self.example - 86_400) == .seconds(60))
        #expect(RetryAfter.duration(in: headers, now: Self.example + 86_400) == .seconds(60))
    }

    @Test("is measured against our clock where the answer's Date is garbage")
    func garbageDate() {
        let headers: HTTPHeaders = ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "yesterday"]
        #expect(RetryAfter.duration(in: headers, now: Self.example - 5) == .seconds(5))
    }

    @Test("is no wait where the date has passed, and an hour where it is far")
    func bounds() {
        let headers: HTTPHeaders = ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"]
        #expect(RetryAfter.duration(in: headers, now: Self.example + 1) == .zero)
        #expect(RetryAfter.duration(in: headers, now: 0) == .seconds(3600))
    }

    @Test(
        "is nothing where it can't be read",
        arguments: [
            "", " ", "-5", "1.5", "+5", "5s", "soon", "١٢", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
            "Sun Nov 6 08:49:37", "Sun, 06 Nov 1994 08:49:37", "Sun, 00 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
        ])
    func garbage(text: String) {
        #expect(RetryAfter.duration(in: ["Retry-After": text], now: 0) == nil)
    }

    @Test("is nothing where there is none")
    func absent() {
        #expect(RetryAfter.duration(in: [:], now: 0) == nil)
    }

    @Test(
        "counts days as the calendar does",
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Int64(0)), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Fri, 31 Dec 2100 00:00:00 GMT", 4_133_894_400),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1), ("Tue, 30 Jun 2015 23:59:60 GMT", 1_435_708_800),
        ])
    func calendar(text: String, expected: Int64) {
        #expect(HTTPDate(text, now: 0)?.unixSeconds == expected)
    }

    @Test(
        "takes a short year for the century that is nearer",
        arguments: [("30", 2030), ("94", 1994), ("75", 2075), ("79", 1979)])
    func shortYears(short: String, year: Int) {
        let now: Int64 = 1_800_000_000
        let short = HTTPDate("Sunday, 06-Nov-\(short) 08:49:37 GMT", now: now)
        #expect(short != nil)
        #expect(short == HTTPDate("Sun, 06 Nov \(year) 08:49:37 GMT", now: now))
    }

    @Test(
        "reads a year of two digits as the one within fifty years",
        arguments: [
            ("2026", "27", 2027), ("2026", "76", 2076), ("2026", "77", 1977), ("1999", "05", 2005),
            ("2096", "20", 2120), ("2096", "60", 2060),
        ])
    func shortYears(now: String, digits: String, year: Int) throws {
        let today = try #require(HTTPDate("Sun, 01 Jul \(now) 00:00:00 GMT", now: 0)).unixSeconds
        #expect(
            HTTPDate("Sunday, 06-Nov-\(digits) 08:49:37 GMT", now: today)
                == HTTPDate("Sun, 06 Nov \(year) 08:49:37 GMT", now: today))
    }
}
