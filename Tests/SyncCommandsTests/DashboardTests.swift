import Foundation
import Testing

@Suite("The dashboard") struct DashboardTests {
    struct Dashboard: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable { let expr: String }
            struct Place: Decodable { let h, w, x, y: Int }

            let id: Int
            let title: String
            let description: String
            let targets: [Target]
            let gridPos: Place
        }

        let uid: String
        let panels: [Panel]
    }

    static func read() throws -> Dashboard {
        try JSONDecoder().decode(Dashboard.self, from: Data(Deployed.text("grafana.json").utf8))
    }

    /// The page that names every metric.
    static let metrics = Deployed.folder.deletingLastPathComponent()
        .appending(path: "Sources/SyncAgent/SyncAgent.docc/Metrics.md")

    /// The metrics that an expression asks for, without what a histogram's series add to the name.
    static func names(in expression: String) -> [String] {
        expression.matches(of: #/(?:subscriber_sync|process)_[a-z_]+/#).map { match in
            let name = String(match.0)
            return name.hasSuffix("_bucket") ? String(name.dropLast("_bucket".count)) : name
        }
    }

    @Test("says of each panel what it shows, and none lies over another")
    func isTidy() throws {
        let panels = try Self.read().panels
        #expect(Set(panels.map(\.id)).count == panels.count && Set(panels.map(\.title)).count == panels.count)
        #expect(panels.allSatisfy { !$0.description.isEmpty && !$0.targets.isEmpty })
        var taken: Set<[Int]> = []
        for panel in panels {
            #expect(panel.gridPos.x + panel.gridPos.w <= 24)
            for x in panel.gridPos.x..<panel.gridPos.x + panel.gridPos.w {
                for y in panel.gridPos.y..<panel.gridPos.y + panel.gridPos.h {
                    #expect(taken.insert([x, y]).inserted, "\(panel.title)")
                }
            }
        }
    }

    @Test(
        "asks only for metrics that there are",
        .enabled("There is no table of metrics.") {
            FileManager.default.fileExists(atPath: metrics.path)
        })
    func asksForRealMetrics() throws {
        let table = try String(contentsOf: Self.metrics, encoding: .utf8)
        let known = Set(table.matches(of: #/\| `([a-z_]+)` \|/#).map { String($0.1) })
        let asked = Set(try Self.read().panels.flatMap(\.targets).flatMap { Self.names(in: $0.expr) })
        #expect(asked.count > 15 && asked.subtracting(known) == [], "\(asked.subtracting(known))")
    }

    @Test(
        "has queries that Prometheus understands", .enabled("promtool is not here.") { Deployed.has("promtool") })
    func isUnderstood() async throws {
        let expressions = try Self.read().panels.flatMap(\.targets).map(\.expr)
        let rules = expressions.enumerated().map { index, expression in
            // Grafana puts its own values in for these.
            let query = expression.replacing("$__rate_interval", with: "5m").replacing("$job", with: ".*")
            return "      - record: query:\(index)\n        expr: '\(query.replacing("'", with: "''"))'\n"
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString).yaml")
        try ("groups:\n  - name: dashboard\n    rules:\n" + rules.joined())
            .write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let checked = try await Deployed.run("promtool", ["check", "rules", "--lint=none", file.path])
        #expect(checked.status == 0 && checked.text.contains("\(expressions.count) rules found"), "\(checked.text)")
    }
}
