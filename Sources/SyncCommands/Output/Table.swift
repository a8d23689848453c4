import ArgumentParser

/// How a command prints its result.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table
    case json
}

/// Rows of text in columns: for eyes. Scripts use JSON.
struct Table {
    let header: [String]
    var rows: [[String]] = []

    init(_ header: [String]) { self.header = header }

    var text: String {
        let widths = widths()
        return ([header] + rows).map { Table.line($0, widths: widths) }.joined()
    }

    /// The width of each column, in characters.
    ///
    /// - Parameter least: at least these, for rows that are still to come; none, or one for each column.
    func widths(least: [Int] = []) -> [Int] {
        header.indices.map { column in
            let cells = ([header] + rows).map { Table.printable($0[column]).count }
            return max(cells.max() ?? 0, least.isEmpty ? 0 : least[column])
        }
    }

    /// Two spaces between columns, none behind the last; control characters can't move the cursor. A cell that is
    /// wider than its column moves the rest of its line, and loses nothing.
    static func line(_ cells: [String], widths: [Int]) -> String {
        let padded = cells.map(printable).enumerated().map { index, cell in
            cell + String(repeating: " ", count: max(0, widths[index] - cell.count))
        }
        return trimmed(padded.joined(separator: "  ")) + "\n"
    }

    /// A label and its value on each line.
    static func pairs(_ pairs: [(String, String)]) -> String {
        let width = pairs.map(\.0.count).max() ?? 0
        return pairs.map { label, value in
            trimmed(label + String(repeating: " ", count: width - label.count) + "  " + printable(value)) + "\n"
        }.joined()
    }

    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}

/// Durations as people say them: `850 ms`, `12 s`, `3 min`, `2 h 5 min`, `4 d`.
func spoken(seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    switch seconds {
    case ..<0.9995: return "\(max(0, Int((seconds * 1000).rounded()))) ms"
    case ..<120: return "\(whole) s"
    case ..<7200: return "\(whole / 60) min"
    case ..<172_800: return "\(whole / 3600) h \(whole % 3600 / 60) min"
    case _: return "\(whole / 86400) d"
    }
}
