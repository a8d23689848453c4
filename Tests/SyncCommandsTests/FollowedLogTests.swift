import SyncStore
import Testing

@testable import SyncCommands

@Suite("The log, followed") struct FollowedLogTests {
    @Test("keeps every cell in its column, whatever comes")
    func columns() {
        let widths = LogRow.followedWidths([])
        let header = Table.line(LogRow.header, widths: widths)
        let empty = Table.line(["2026-11-24", "", "sweep", "", "", "", "", "", "why"], widths: widths)
        let full = Table.line(
            ["2026-11-24", "42", "rejected", "422", "job_title", "12", "", "invalid_parameter", "why"], widths: widths)
        let place = { (line: String, cell: String) in
            line.firstRange(of: cell).map { line.distance(from: line.startIndex, to: $0.lowerBound) }
        }
        #expect(place(empty, "why") == place(header, "ERROR") && place(full, "why") == place(header, "ERROR"))
        #expect(place(full, "422") == place(header, "HTTP") && place(full, "invalid") == place(header, "CODE"))
        #expect(Table.line(["a", "b"], widths: [0, 0]) == "a  b\n", "what is too wide loses nothing")
    }
}
