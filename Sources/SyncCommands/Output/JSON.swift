/// A JSON document that keeps the order of its keys, so that output is stable.
indirect enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    /// Written with up to three decimals: seconds and shares need no more.
    case number(Double)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    static func optional(_ number: Int?) -> JSON { number.map(JSON.int) ?? .null }
    static func optional(_ number: Double?) -> JSON { number.map(JSON.number) ?? .null }

    static func == (left: JSON, right: JSON) -> Bool { left.text == right.text }
    func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// On one line.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .number(let value): JSON.decimal(value)
        case .string(let value): JSON.quoted(value)
        case .array(let members): "[" + members.map(\.text).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { JSON.quoted($0) + ": " + $1.text }.joined(separator: ", ") + "}"
        }
    }

    /// With each member of the outer object or array on a line of its own.
    var document: String {
        switch self {
        case .object(let members) where !members.isEmpty:
            "{\n" + members.map { "  \(JSON.quoted($0)): \($1.text)" }.joined(separator: ",\n") + "\n}\n"
        case .array(let members) where !members.isEmpty:
            "[\n" + members.map { "  \($0.text)" }.joined(separator: ",\n") + "\n]\n"
        case .null, .bool, .int, .number, .string, .array, .object: text + "\n"
        }
    }

    private static func decimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "null" }
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            case _: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
