import Foundation
import SyncCore
import Testing

@testable import SignalWire

/// The page that explains every outcome and code, held against the code that writes them.
@Suite("The page of codes") struct CodesPageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The codes in the first column of each table on the page.
    private static func explained() throws -> Set<String> {
        let page = root.appending(path: "Sources/SyncAgent/SyncAgent.docc/Codes.md")
        let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
        return Set(
            rows.flatMap { row in
                row.split(separator: "|")[0].split(separator: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }
                    .map { String($0.element) }
            })
    }

    @Test("explains each outcome of a settlement")
    func outcomes() throws {
        #expect(Set(Settlement.Outcome.allCases.map(\.rawValue)).subtracting(try Self.explained()) == [])
    }

    @Test("explains each outcome that a statement writes by itself")
    func decisions() throws {
        let written = try Self.outcomesInSQL()
        #expect(written.count > 5)
        #expect(written.subtracting(try Self.explained()) == [])
    }

    @Test("explains why a user is held, each reason")
    func holds() throws {
        #expect(Set(HoldReason.allCases.map(\.rawValue)).subtracting(try Self.explained()) == [])
    }

    @Test("explains what SignalWire's codes mean, those that its documentation names")
    func refusals() throws {
        #expect(Complaint.knownCodes.subtracting(try Self.explained()) == [])
    }

    @Test("explains why no answer came, each way")
    func failures() throws {
        #expect(Set(TransportFailure.allCases.map(\.code)).subtracting(try Self.explained()) == [])
    }

    /// The first text in quotes behind each `INSERT INTO subscriber_sync.log`.
    private static func outcomesInSQL() throws -> Set<String> {
        let folder = root.appending(path: "Sources/SyncStore")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "swift" }.reduce(into: []) { outcomes, file in
            let text = try String(contentsOf: file, encoding: .utf8)
            for statement in text.components(separatedBy: "INSERT INTO subscriber_sync.log").dropFirst() {
                let quoted = statement.prefix(300).split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
                if quoted.count == 3 { outcomes.insert(String(quoted[1])) }
            }
        }
    }
}
