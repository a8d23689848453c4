/// Each row of the table of events has a test of its name, and each such test its row.
enum EventRules {
    /// The names that the rows of a page have: the first column, and behind a semicolon the second where it isn't empty.
    static func rows(in page: String) -> [String] {
        page.split(separator: "\n").compactMap { line -> String? in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                String($0.trimmed).replacing("`", with: "")
            }
            guard cells.count == 6, cells[1] != "event", !cells[1].hasPrefix("-") else { return nil }
            return cells[2].isEmpty ? cells[1] : "\(cells[1]); \(cells[2])"
        }
    }

    /// The names of the tests of a file.
    static func tests(in source: String) -> [String] {
        source.matches(of: #/@Test\("([^"]+)"/#).map { String($0.1) }
    }
}
