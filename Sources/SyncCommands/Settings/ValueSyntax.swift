import SignalWire
import SyncCore

/// How a value of one type is written in the settings.
struct ValueSyntax<Value: Sendable>: Sendable {
    /// What to write, to stand behind "Write": such as `a whole number from 1 to 1000`.
    let form: String
    /// Reads a text without white space around it.
    let parse: @Sendable (String) throws(ValueProblem) -> Value
    /// Writes a value so that `parse` reads it again.
    let render: @Sendable (Value) -> String
}

/// Why a text is not a value, to stand behind the key: `is not a duration`.
struct ValueProblem: Error, Sendable, Hashable {
    let what: String
    /// What to do, where the syntax's form says too little.
    let hint: String?

    init(_ what: String, hint: String? = nil) {
        self.what = what
        self.hint = hint
    }
}

extension ValueSyntax where Value == String {
    /// A name or other text that can't be empty, taken as it is.
    static func text(_ form: String) -> Self {
        Self(
            form: form,
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { throw ValueProblem("is empty") }
                return try withoutNUL(text)
            },
            render: { $0 })
    }
}

extension ValueSyntax where Value == String? {
    /// A text; empty is none.
    static func optionalText(_ form: String) -> Self {
        Self(
            form: form,
            parse: { text throws(ValueProblem) in text.isEmpty ? nil : try withoutNUL(text) },
            render: { $0 ?? "" })
    }
}

extension ValueSyntax where Value == Bool {
    /// Yes or no, as YAML 1.1 writes it too.
    static var boolean: Self {
        Self(
            form: "true or false",
            parse: { text throws(ValueProblem) in
                switch text.lowercased() {
                case "true", "yes", "on": true
                case "false", "no", "off": false
                case _: throw ValueProblem("is neither true nor false")
                }
            },
            render: { $0 ? "true" : "false" })
    }
}

extension ValueSyntax where Value == Space? {
    /// A space; empty is none.
    static var space: Self {
        Self(
            form: "the space's name, host or URL",
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { return nil }
                do throws(SpaceError) {
                    return try Space(parsing: text)
                } catch {
                    throw ValueProblem(error.what, hint: error.hint)
                }
            },
            render: { $0?.baseURL ?? "" })
    }
}

extension ValueSyntax where Value == String? {
    /// A time zone by any name that is understood; empty is none.
    static var timeZone: Self {
        Self(
            form: "a name of the tz database such as America/New_York",
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { return nil }
                guard TimeZoneName.canonical(text) != nil else { throw ValueProblem("is no time zone that is known") }
                return text
            },
            render: { $0 ?? "" })
    }

    /// An id of SignalWire's, as its dashboard shows it; empty is none.
    static func uuid(_ form: String) -> Self {
        Self(
            form: form,
            parse: { text throws(ValueProblem) in
                guard !text.isEmpty else { return nil }
                let groups = text.split(separator: "-", omittingEmptySubsequences: false)
                let isUUID =
                    groups.map(\.count) == [8, 4, 4, 4, 12]
                    && groups.joined().allSatisfy { $0.isASCII && $0.isHexDigit }
                guard isUUID else { throw ValueProblem("is not a uuid") }
                return text
            },
            render: { $0 ?? "" })
    }
}

extension ValueSyntax where Value == Secret? {
    /// A secret; empty is none. It is written redacted.
    static func secret(_ form: String) -> Self {
        Self(
            form: form,
            parse: { text throws(ValueProblem) in text.isEmpty ? nil : Secret(try withoutNUL(text)) },
            render: { $0 == nil ? "" : Secret.redacted })
    }
}

/// PostgreSQL, HTTP and C strings know no NUL; YAML can write one.
private func withoutNUL(_ text: String) throws(ValueProblem) -> String {
    guard !text.utf8.contains(0) else { throw ValueProblem("holds a NUL character") }
    return text
}

extension ValueSyntax where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words, in any case of letters.
    static func choice() -> Self {
        let words = Value.allCases.map(\.rawValue)
        return Self(
            form: listed(words),
            parse: { text throws(ValueProblem) in
                guard let value = Value(rawValue: text.lowercased()) else {
                    throw ValueProblem("is none of \(words.joined(separator: ", "))")
                }
                return value
            },
            render: { $0.rawValue })
    }
}

/// `a, b or c`.
func listed(_ words: [String], _ conjunction: String = "or") -> String {
    guard let last = words.last, words.count > 1 else { return words.joined() }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
}
