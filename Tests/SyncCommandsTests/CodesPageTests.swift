import Foundation
import SyncCore
import Testing

@testable import SignalWire

/// The page that explains every outcome and code, held against the code that writes them.
@Suite("The page of codes") struct CodesPageTests {
    /// The codes in the first column of each table on the page.
    private static func explained() throws -> Set<String> {
        let cells = try Page.named("Codes").tables.flatMap(\.rows).map { $0[0] }.filter { $0.hasPrefix("`") }
        return Set(cells.flatMap(Page.words(in:)))
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
        let folder = Page.root.appending(path: "Sources/SyncStore")
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
