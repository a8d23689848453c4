extension ValueSyntax where Value == Int {
    /// A whole number within bounds.
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self(
            form: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text throws(ValueProblem) in
                guard let number = Int(text) else { throw ValueProblem("is not a whole number") }
                return try checked(number, range)
            },
            render: { String($0) })
    }
}

extension ValueSyntax where Value == Int? {
    /// A whole number from 0 up; -1 is no limit.
    static func limit(upTo most: Int) -> Self {
        let number = ValueSyntax<Int>.integer(-1...most)
        return Self(
            form: "a whole number from 0 to \(most), or -1 for no limit",
            parse: { text throws(ValueProblem) in
                let value = try number.parse(text)
                return value < 0 ? nil : value
            },
            render: { String($0 ?? -1) })
    }
}

extension ValueSyntax where Value == Double {
    /// A number within bounds, in decimal digits: no exponent, no hexadecimal, no infinity.
    static func number(_ range: ClosedRange<Double>) -> Self {
        Self(
            form: "a number from \(decimal(range.lowerBound)) to \(decimal(range.upperBound))",
            parse: { text throws(ValueProblem) in
                let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }
                guard isDecimal, let number = Double(text) else { throw ValueProblem("is not a number") }
                return try checked(number, range)
            },
            render: { decimal($0) })
    }
}

/// The value, if it lies within the bounds.
private func checked<Number: Comparable>(
    _ number: Number, _ range: ClosedRange<Number>
) throws(ValueProblem) -> Number {
    guard number >= range.lowerBound else { throw ValueProblem("is too small") }
    guard number <= range.upperBound else { throw ValueProblem("is too large") }
    return number
}

/// Without a fraction where there is none.
private func decimal(_ number: Double) -> String {
    Int(exactly: number).map { String($0) } ?? String(number)
}
