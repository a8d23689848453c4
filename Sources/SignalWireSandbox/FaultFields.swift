/// The keys and values of one written fault, taken out one by one; what is left over is a mistake.
struct FaultFields {
    private var values: [String: String]

    /// Splits `EFFECT,KEY=VALUE,…`. A part without `=` is the effect's name.
    init(line: String) throws(FaultSyntaxError) {
        values = [:]
        for part in line.split(separator: ",", omittingEmptySubsequences: false) {
            let (key, value) = Self.pair(part)
            guard !key.isEmpty, !value.isEmpty else {
                throw FaultSyntaxError(
                    message: "A fault has an empty part between its commas.", hint: "Write it as EFFECT,KEY=VALUE,…")
            }
            guard values.updateValue(value, forKey: key) == nil else {
                throw FaultSyntaxError(message: "A fault says \(key) twice.", hint: "Say it once.")
            }
        }
    }

    /// Takes the keys of a JSON object; a null counts as not given.
    init(members: [String: JSONValue]) throws(FaultSyntaxError) {
        values = [:]
        for (key, value) in members {
            switch value {
            case .string(let text): values[key] = text
            case .integer(let integer): values[key] = String(integer)
            case .number(let number): values[key] = String(number)
            case .null: continue
            case .bool, .array, .object:
                throw FaultSyntaxError(
                    message: "A fault has an unusable value for \(key).", hint: "Give a text or a number.")
            }
        }
    }

    private static func pair(_ part: Substring) -> (key: String, value: String) {
        guard let equals = part.firstIndex(of: "=") else { return ("effect", String(part)) }
        return (String(part[..<equals]), String(part[part.index(after: equals)...]))
    }

    /// The effect's kind: named, or clear from `status` or `latency` alone.
    mutating func takeKind() throws(FaultSyntaxError) -> FaultEffect.Kind {
        guard let name = take("effect") else {
            if values["status"] != nil { return .status }
            if values["latency"] != nil { return .latency }
            throw FaultSyntaxError(message: "A fault names no effect.", hint: Self.effectsHint)
        }
        guard let kind = FaultEffect.Kind(rawValue: name) else {
            throw FaultSyntaxError(message: "A fault names the unknown effect \(name).", hint: Self.effectsHint)
        }
        return kind
    }

    mutating func take(_ key: String) -> String? {
        values.removeValue(forKey: key)
    }

    mutating func takeInteger(_ key: String, in range: ClosedRange<Int>) throws(FaultSyntaxError) -> Int? {
        guard let text = take(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw FaultSyntaxError(
                message: "A fault has an unusable value for \(key).",
                hint: "Give an integer from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    mutating func takeProbability() throws(FaultSyntaxError) -> Double? {
        guard let text = take("probability") else { return nil }
        guard let share = Double(text), (0...1).contains(share) else {
            throw FaultSyntaxError(
                message: "A fault has an unusable value for probability.", hint: "Give a number from 0 to 1.")
        }
        return share
    }

    /// `retry-after=2` is seconds, `retry-after=date:2` the date in two seconds.
    mutating func takeRetryAfter() throws(FaultSyntaxError) -> FaultEffect.RetryAfter? {
        guard let text = take("retry-after") else { return nil }
        let isDate = text.hasPrefix("date:")
        guard let seconds = Int(isDate ? text.dropFirst(5) : text[...]), (0...86_400).contains(seconds) else {
            throw FaultSyntaxError(
                message: "A fault has an unusable value for retry-after.",
                hint: "Give seconds up to 86400, or date:SECONDS for the form with a date.")
        }
        return isDate ? .date(inSeconds: seconds) : .seconds(seconds)
    }

    /// Refuses what nobody took.
    func finish(_ kind: FaultEffect.Kind) throws(FaultSyntaxError) {
        guard let stranger = values.keys.min() else { return }
        throw FaultSyntaxError(
            message: "A fault with the effect \(kind.rawValue) has no key \(stranger).", hint: Self.keysHint)
    }

    private static let effectsHint =
        "The effects are " + FaultEffect.Kind.allCases.map(\.rawValue).joined(separator: ", ") + "."
    private static let keysHint = """
        Every fault takes latency, reference, path, count, probability and seed; status also code, message, \
        attribute and retry-after; html status; redirect location; late-apply delay; hang limit; \
        oversized-body bytes.
        """
}
