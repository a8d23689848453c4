/// Prometheus' text format, version 0.0.4.
///
/// Each metric is one block: help, type, and all its series.
struct Exposition: Sendable {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// A counter or gauge with one series.
    mutating func add(_ definition: MetricDefinition, _ value: Double) { add(definition, [(nil, value)]) }

    /// A condition: 1 or 0.
    mutating func add(_ definition: MetricDefinition, _ isSo: Bool) { add(definition, isSo ? 1 : 0) }

    /// A counter or gauge with a series for each value of its label.
    mutating func add(_ definition: MetricDefinition, _ series: [(label: String?, value: Double)]) {
        begin(definition)
        for (label, value) in series { line(definition.name, labels(definition, label), value) }
    }

    /// One of a few states: 1 for that which holds, 0 for the others.
    mutating func add(_ definition: MetricDefinition, state: String?) {
        add(definition, definition.series.map { ($0, $0 == state ? 1 : 0) })
    }

    /// A distribution.
    mutating func add(_ definition: MetricDefinition, _ reading: HistogramCell.Reading) {
        begin(definition)
        var total: Int64 = 0
        for (bound, count) in zip(reading.bounds, reading.counts) {
            total += count
            line(definition.name + "_bucket", "{le=\"\(Exposition.number(bound))\"}", Double(total))
        }
        total += reading.counts.last ?? 0
        line(definition.name + "_bucket", "{le=\"+Inf\"}", Double(total))
        line(definition.name + "_sum", "", reading.sum)
        line(definition.name + "_count", "", Double(total))
    }

    private mutating func begin(_ definition: MetricDefinition) {
        text += "# HELP \(definition.name) \(Exposition.escaped(definition.help))\n"
        text += "# TYPE \(definition.name) \(definition.kind.word)\n"
    }

    private mutating func line(_ name: String, _ labels: String, _ value: Double) {
        text += "\(name)\(labels) \(Exposition.number(value))\n"
    }

    private func labels(_ definition: MetricDefinition, _ value: String?) -> String {
        guard let label = definition.label, let value else { return "" }
        return "{\(label.name)=\"\(Exposition.escaped(value, quotes: true))\"}"
    }

    /// Whole numbers without a point; what is no number in the format's own words.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            case _: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
