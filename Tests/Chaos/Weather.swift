import SyncCore

/// Every way in which the API fails, in the sandbox's fault language.
enum Weather {
    /// The code with which it refuses users on purpose; no other rejection is right.
    static let refusal = "chaos_refused"

    private static let kinds = [
        "latency=300,probability=0.5", "latency=1500,probability=0.2", "latency=2600,probability=0.2", "latency=80",
        "status=500,probability=0.4", "status=503", "html,status=502,probability=0.5", "redirect,count=3",
        "status=429,retry-after=1,count=5", "status=429,retry-after=date:2,count=3", "status=429,count=3",
        "status=401", "status=403,count=2", "status=422,code=insufficient_balance,count=2",
        "status=422,code=\(refusal),attribute=job_title,reference=refused*",
        "status=400,code=\(refusal),reference=*7@*,probability=0.5",
        "reset-before,probability=0.4", "reset-after,probability=0.4", "hang,probability=0.2", "hang,count=5",
        "cut-body,probability=0.4", "malformed-body,probability=0.4", "oversized-body,bytes=200000,count=5",
        "missing-id,probability=0.4", "late-apply,delay=1500,probability=0.3", "late-apply,delay=5000,probability=0.2",
    ]

    /// One kind, or several at once.
    static func draw(_ random: inout SeededRandom) -> [String] {
        let count = pick([1, 1, 2, 3], &random)
        return (0..<count).map { _ in pick(kinds, &random) + ",seed=\(Int.random(in: 1...1_000_000, using: &random))" }
    }
}
