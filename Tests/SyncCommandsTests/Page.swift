import Foundation

/// A page of the documentation, as tests read it: its blocks of code, its tables, its words in code.
struct Page: Sendable {
    /// From the package's root.
    let name: String
    let text: String

    static let root = Deployed.folder.deletingLastPathComponent()
    private static let catalogue = "Sources/SyncAgent/SyncAgent.docc"

    init(_ name: String) throws {
        self.name = name
        text = try String(contentsOf: Page.root.appending(path: name), encoding: .utf8)
    }

    static func readme() throws -> Page { try Page("README.md") }

    /// A page of the catalogue, such as `Codes`.
    static func named(_ name: String) throws -> Page { try Page("\(catalogue)/\(name).md") }

    /// The README, then the catalogue by name.
    static func all() throws -> [Page] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: catalogue).path)
        return try [readme()] + names.filter { $0.hasSuffix(".md") }.sorted().map { try Page("\(catalogue)/\($0)") }
    }
}

extension Page {
    /// What stands between two fences.
    struct Block: Sendable, CustomStringConvertible {
        let page: String
        /// Where it begins, from 1.
        let line: Int
        /// What stands behind the fence; empty: it isn't code.
        let language: String
        /// Without the indentation of a list that it is in.
        let lines: [String]

        var text: String { lines.joined(separator: "\n") }
        var description: String { "\(page):\(line)" }
    }

    /// A table, with the heading above it.
    struct Table: Sendable {
        let heading: String
        let header: [String]
        let rows: [[String]]
    }

    var blocks: [Block] {
        var blocks: [Block] = []
        var open: (line: Int, indent: Int, language: String)?
        var lines: [String] = []
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            let code = line.drop { $0 == " " }
            if let begun = open {
                if code == "```" {
                    blocks.append(Block(page: name, line: begun.line, language: begun.language, lines: lines))
                    open = nil
                } else {
                    lines.append(String(line.dropFirst(begun.indent)))
                }
            } else if code.hasPrefix("```"), !code.dropFirst(3).contains("`") {
                open = (index + 1, line.count - code.count, String(code.dropFirst(3)))
                lines = []
            }
        }
        return blocks
    }

    /// Everything that isn't in a block.
    private var prose: [String] {
        var isInside = false
        return text.components(separatedBy: "\n").filter { line in
            guard line.drop(while: { $0 == " " }).hasPrefix("```") else { return !isInside }
            isInside.toggle()
            return false
        }
    }

    /// What stands in backticks, on one line or over the end of one.
    var words: [String] {
        prose.joined(separator: "\n").matches(of: #/(`+)([^`]+)\1/#).map { match in
            match.2.split(whereSeparator: \.isWhitespace).joined(separator: " ").replacing("\\|", with: "|")
        }
    }

    var tables: [Table] {
        var tables: [Table] = []
        var heading = ""
        var rows: [[String]] = []
        for line in prose + [""] {
            if line.hasPrefix("|") {
                rows.append(Page.cells(of: line))
            } else {
                if let header = rows.first {
                    tables.append(Table(heading: heading, header: header, rows: Array(rows.dropFirst(2))))
                }
                rows = []
            }
            if line.hasPrefix("#") { heading = String(line.drop { $0 == "#" || $0 == " " }) }
        }
        return tables
    }

    func table(_ header: String..., under heading: String? = nil) -> Table? {
        tables.first { $0.header.starts(with: header) && (heading == nil || $0.heading == heading) }
    }

    private static func cells(of line: String) -> [String] {
        let kept = line.replacing("\\|", with: "\u{0}")
        return kept.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
            $0.trimmingCharacters(in: .whitespaces).replacing("\u{0}", with: "|")
        }
    }

    /// What stands in backticks in a text.
    static func words(in text: String) -> [String] { text.matches(of: #/`([^`]+)`/#).map { String($0.1) } }
}
