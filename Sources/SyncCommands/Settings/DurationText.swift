import SyncCore

/// Durations as settings write them: `500ms`, `5s`, `10m`, `6h`, `30d`, `1h30m`, and a bare `0`.
enum DurationText {
    /// A unit by its name, largest first; a text names each at most once, in this order.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// Reads a duration. A number without a unit is refused, because nobody can know which was meant.
    static func parse(_ text: String) throws(ValueProblem) -> Duration {
        if text == "0" { return .zero }
        guard !text.hasPrefix("-") else { throw ValueProblem("is negative") }
        guard text.contains(where: { !$0.isNumber }) else { throw ValueProblem("has no unit") }
        var rest = Substring(text)
        var allowed = units[...]
        var total: Int64 = 0
        while !rest.isEmpty {
            let (amount, unit) = try part(&rest)
            guard let index = allowed.firstIndex(where: { $0.name == unit }) else { throw notADuration }
            total = try sum(total, amount, allowed[index].milliseconds)
            allowed = allowed[(index + 1)...]
        }
        // What nanoseconds can't count is written as something shorter again.
        guard total <= Int64.max / 1_000_000 else { throw ValueProblem("is too long") }
        return .milliseconds(total)
    }

    /// The text for a duration, in the largest unit that it is a multiple of: `60s`, `90m`, `6h`.
    ///
    /// A unit is used from two on: a lease of `60s` stays comparable to a timeout of `15s`.
    static func render(_ duration: Duration) -> String {
        let milliseconds = duration.nanoseconds / 1_000_000
        guard milliseconds > 0 else { return "0" }
        let unit = units.first { milliseconds % $0.milliseconds == 0 && milliseconds >= 2 * $0.milliseconds }
        return "\(milliseconds / (unit?.milliseconds ?? 1))\(unit?.name ?? "ms")"
    }

    /// Takes the digits and the letters behind them off the front.
    private static func part(_ rest: inout Substring) throws(ValueProblem) -> (Int64, String) {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
        guard !digits.isEmpty, !unit.isEmpty else { throw notADuration }
        guard let amount = Int64(digits) else { throw ValueProblem("is too long") }
        rest = rest.dropFirst(digits.count + unit.count)
        return (amount, String(unit))
    }

    private static func sum(_ total: Int64, _ amount: Int64, _ factor: Int64) throws(ValueProblem) -> Int64 {
        let product = amount.multipliedReportingOverflow(by: factor)
        let sum = total.addingReportingOverflow(product.partialValue)
        guard !product.overflow, !sum.overflow else { throw ValueProblem("is too long") }
        return sum.partialValue
    }

    private static let notADuration = ValueProblem("is not a duration")
}

extension ValueSyntax where Value == Duration {
    /// A duration within bounds.
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        let (least, most) = (DurationText.render(range.lowerBound), DurationText.render(range.upperBound))
        return Self(
            form: "a duration from \(least) to \(most), such as 500ms, 5s, 10m, 6h or 1h30m",
            parse: { text throws(ValueProblem) in
                let duration = try DurationText.parse(text)
                guard duration >= range.lowerBound else { throw ValueProblem("is shorter than \(least)") }
                guard duration <= range.upperBound else { throw ValueProblem("is longer than \(most)") }
                return duration
            },
            render: DurationText.render)
    }
}

extension ValueSyntax where Value == Duration? {
    /// A duration up to a bound; 0 is none.
    static func durationOrNone(upTo most: Duration) -> Self {
        let duration = ValueSyntax<Duration>.duration(.zero...most)
        return Self(
            form: duration.form,
            parse: { text throws(ValueProblem) in
                let value = try duration.parse(text)
                return value == .zero ? nil : value
            },
            render: { DurationText.render($0 ?? .zero) })
    }
}
