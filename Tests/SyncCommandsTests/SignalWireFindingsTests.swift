import SignalWire
import SyncCore
import Testing

@testable import SyncCommands

@Suite("What doctor makes of SignalWire's answer") struct SignalWireFindingsTests {
    static func verdicts(_ answer: ProbeAnswer, at unixSeconds: Double = 1_000_000) throws -> [String] {
        let space = try Space(parsing: "acme")
        let findings = SignalWireFindings(
            answer: answer, space: space, tokenTTL: .seconds(300), unixSeconds: unixSeconds)
        #expect(
            findings.checks.map(\.name) == ["signalwire", "signalwire_tls", "signalwire_account", "signalwire_clock"])
        #expect(
            findings.checks.allSatisfy { $0.verdict == .ok || $0.verdict == .skipped || $0.hint != nil })
        return findings.checks.map(\.verdict.rawValue)
    }

    static func refused(_ outcome: PushOutcome, status: Int? = nil) -> ProbeAnswer {
        .refused(PushAnswer(outcome: outcome, httpStatus: status))
    }

    @Test(
        "a refusal fails the first thing that it disproves, and nothing behind it is looked at",
        arguments: [
            ("dns_failure", nil, ["fail", "skipped", "skipped", "skipped"]),
            ("connection_refused", nil, ["fail", "skipped", "skipped", "skipped"]),
            ("timeout", nil, ["fail", "skipped", "skipped", "skipped"]),
            ("tls_failure", nil, ["ok", "fail", "skipped", "skipped"]),
            ("http_503", 503, ["ok", "ok", "warn", "skipped"]),
        ] as [(String, Int?, [String])])
    func unavailable(code: String, status: Int?, expected: [String]) throws {
        let problem = Problem(code: code, message: "It did not work.")
        #expect(try Self.verdicts(Self.refused(.unavailable(problem, .notSent), status: status)) == expected)
    }

    @Test("an account, a wrong address and a full line are told apart")
    func answered() throws {
        let problem = { (code: String) in Problem(code: code, message: "No.") }
        let expected = ["ok", "ok", "fail", "skipped"]
        #expect(try Self.verdicts(Self.refused(.account(problem("http_401")), status: 401)) == expected)
        #expect(try Self.verdicts(Self.refused(.account(problem("insufficient_balance")), status: 422)) == expected)
        #expect(try Self.verdicts(Self.refused(.rejected(problem("http_404")), status: 404)) == expected)
        let throttled = Self.refused(.throttled(retryAfter: nil, problem("rate_limit_exceeded")), status: 429)
        #expect(try Self.verdicts(throttled) == ["ok", "ok", "warn", "skipped"])
    }

    @Test(
        "a clock behind SignalWire's by a token's life fails, another difference is remarked",
        arguments: [
            (0, "ok"), (-29, "ok"), (29, "ok"), (-60, "warn"), (3600, "warn"), (-294, "warn"), (-295, "fail"),
            (-3600, "fail"),
        ])
    func clock(ahead: Double, verdict: String) throws {
        let passed = ProbeAnswer.passed(
            httpStatus: 200, requestID: nil, duration: .milliseconds(80), unixSeconds: 1_000_000)
        #expect(try Self.verdicts(passed, at: 1_000_000 + ahead) == ["ok", "ok", "ok", verdict])
    }

    @Test("an answer without a date proves nothing of the clock")
    func undated() throws {
        let passed = ProbeAnswer.passed(httpStatus: 200, requestID: nil, duration: .zero, unixSeconds: nil)
        #expect(try Self.verdicts(passed) == ["ok", "ok", "ok", "skipped"])
    }
}
