/// What was found when one thing of an installation was looked at, and what mends it.
public struct Check: Sendable, Hashable {
    /// How it stands.
    public enum Verdict: String, Sendable, CaseIterable {
        case ok
        /// It can't be looked at until something else is mended.
        case skipped
        /// It works, and somebody should know of it.
        case warn
        /// It doesn't work.
        case fail
    }

    /// What was looked at: one word or two joined by `_`. Stable; scripts read it.
    public let name: String
    public let verdict: Verdict
    /// One sentence of what was found. Never a value of a user's.
    public let finding: String
    /// One sentence of what to do.
    public let hint: String?
    /// The SQL or the setting that mends it, to be copied.
    public let remedy: String?

    public init(_ name: String, _ verdict: Verdict, _ finding: String, hint: String? = nil, remedy: String? = nil) {
        self.name = name
        self.verdict = verdict
        self.finding = finding
        self.hint = hint
        self.remedy = remedy
    }

    public static func ok(_ name: String, _ finding: String) -> Check { Check(name, .ok, finding) }

    public static func skipped(_ name: String, _ finding: String) -> Check { Check(name, .skipped, finding) }

    public static func warn(_ name: String, _ finding: String, hint: String, remedy: String? = nil) -> Check {
        Check(name, .warn, finding, hint: hint, remedy: remedy)
    }

    public static func fail(_ name: String, _ finding: String, hint: String?, remedy: String? = nil) -> Check {
        Check(name, .fail, finding, hint: hint, remedy: remedy)
    }

    /// Whether what builds on it can be looked at.
    public var carries: Bool {
        switch verdict {
        case .ok, .warn: true
        case .skipped, .fail: false
        }
    }
}
