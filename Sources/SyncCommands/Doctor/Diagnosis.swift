import SyncCore

/// All that was found, and how it is shown.
struct Diagnosis: Sendable {
    let checks: [Check]

    /// 0: all well. 1: somebody should know of something. 2: something doesn't work.
    var exitCode: Int32 {
        if checks.contains(where: { $0.verdict == .fail }) { return 2 }
        return checks.contains { $0.verdict == .warn } ? 1 : 0
    }

    /// One line a check; below what isn't well, what to do, and what can be copied for that.
    ///
    /// - Parameter paint: colours a verdict, where that is wanted.
    func table(paint: (Check.Verdict, String) -> String = { $1 }) -> String {
        let width = checks.map(\.name.count).max() ?? 0
        let lines = checks.map { check -> String in
            let name = check.name + String(repeating: " ", count: width - check.name.count)
            let head =
                "\(paint(check.verdict, Diagnosis.mark(check.verdict)))  \(name)  \(Table.printable(check.finding))\n"
            let indent = String(repeating: " ", count: Diagnosis.markWidth + 2 + width + 2)
            let hint = check.hint.map { "\(indent)hint: \(Table.printable($0))\n" } ?? ""
            return head + hint + (check.remedy.map { "\(indent)mend: \(Table.printable($0))\n" } ?? "")
        }
        return lines.joined() + "\n" + summary + "\n"
    }

    var json: JSON {
        .object([
            ("exit", .int(Int(exitCode))),
            (
                "checks",
                .array(
                    checks.map { check in
                        .object([
                            ("name", .string(check.name)), ("verdict", .string(check.verdict.rawValue)),
                            ("finding", .string(check.finding)), ("hint", .optional(check.hint)),
                            ("remedy", .optional(check.remedy)),
                        ])
                    })
            ),
        ])
    }

    private var summary: String {
        let counts = Check.Verdict.allCases.map { verdict in
            "\(checks.filter { $0.verdict == verdict }.count) \(verdict.rawValue)"
        }
        return counts.joined(separator: ", ")
    }

    private static let markWidth = 4

    private static func mark(_ verdict: Check.Verdict) -> String {
        switch verdict {
        case .ok: "ok  "
        case .skipped: "-   "
        case .warn: "warn"
        case .fail: "fail"
        }
    }
}
