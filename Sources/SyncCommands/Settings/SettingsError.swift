/// One thing that is wrong with the settings: one sentence of what, one of what to do. Never a value, because
/// a value in the wrong place may be a secret.
struct SettingsProblem: Error, Sendable, Hashable {
    let sentence: String
    let hint: String

    init(_ sentence: String, hint: String) {
        self.sentence = sentence
        self.hint = hint
    }
}

/// Why the settings can't be used: everything that was found, so that one edit can mend it all. Exit code 78.
struct SettingsError: Error, Sendable, Hashable {
    /// At least one, in the order in which they were found.
    let problems: [SettingsProblem]

    init(_ problems: [SettingsProblem]) { self.problems = problems }

    /// How many problems are written out; a file of another program would fill the screen.
    static let shownProblems = 20

    /// The sentence; of several problems, a heading, and for each its sentence and its hint.
    var message: String {
        guard problems.count != 1 else { return problems.map(\.sentence).joined() }
        let lines = problems.prefix(SettingsError.shownProblems).map { "\n- \($0.sentence)\nhint: \($0.hint)" }
        let rest = problems.count - lines.count
        return "The settings have \(problems.count) problems." + lines.joined()
            + (rest > 0 ? "\n- … and \(rest) more." : "")
    }

    /// The hint of an only problem; several carry theirs in the message.
    var hint: String? { problems.count == 1 ? problems.first?.hint : nil }
}
