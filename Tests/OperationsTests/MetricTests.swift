import CoreMetrics
import Foundation
import SyncAgent
import SyncCore
import SyncStore
import Testing

@testable import Operations

@Suite("Metrics") struct MetricTests {
    @Test("that an agent makes are all in the table")
    func agentsMetricsAreKnown() {
        let registry = MetricRegistry()
        _ = AgentMetrics(factory: registry)
        #expect(registry.unknown == [])
    }

    @Test("of another name, or with a label of another value, go nowhere")
    func strangersGoNowhere() {
        let registry = MetricRegistry()
        registry.makeCounter(label: "other_total", dimensions: []).increment(by: 1)
        registry.makeCounter(label: MetricTable.syncs.name, dimensions: [("outcome", "user 42")]).increment(by: 1)
        registry.makeCounter(label: MetricTable.syncs.name, dimensions: []).increment(by: 1)
        #expect(registry.unknown == ["other_total", MetricTable.syncs.name])
        #expect(MetricTable.syncs.series.allSatisfy { registry.count(of: MetricTable.syncs, $0) == 0 })
    }

    @Test("have names of their own, and stand on the page Metrics as they are, each once and in this order")
    func pageHasThem() throws {
        #expect(Set(MetricTable.all.map(\.name)).count == MetricTable.all.count)
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/SyncAgent/SyncAgent.docc/Metrics.md")
        let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter {
            $0.hasPrefix("| `")
        }
        let expected = MetricTable.all.map { metric in
            "| `\(metric.name)` | \(metric.kind.word) | \(metric.label.map { "`\($0.name)`" } ?? "") | \(metric.help) |"
        }
        #expect(rows.map(String.init) == expected)
    }

    @Test("are all written where there are figures, each block once, with a help and a type")
    func everyMetricIsWritten() async {
        let text = await Samples.exposition().text
        let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(types.map(String.init) == MetricTable.all.map(\.name))
        #expect(text.contains("subscriber_sync_users{status=\"rejected\"} 3\n"))
        #expect(text.contains("subscriber_sync_paused{reason=\"account\"} 1\n"))
        #expect(text.contains("subscriber_sync_paused{reason=\"operator\"} 0\n"))
        #expect(text.contains("subscriber_sync_breaker_state{state=\"half_open\"} 1\n"))
        #expect(text.contains("subscriber_sync_listening 1\n"))
        #expect(text.contains("subscriber_sync_build_info{version=\"1.2 \\\"x\\\"\"} 1\n"))
    }

    @Test("of the fleet are left out once they are too old, and the agent's own are not")
    func oldFiguresAreLeftOut() async {
        let text = await Samples.exposition(age: .seconds(121)).text
        #expect(!text.contains("subscriber_sync_users") && text.contains("subscriber_sync_database_up 1\n"))
    }

    @Test("that are distributions count up to each bound, and above")
    func histogramsAddUp() throws {
        let registry = MetricRegistry()
        let timer = registry.makeTimer(label: MetricTable.latency.name, dimensions: [])
        for nanoseconds in [50_000_000, 51_000_000, 7_200_000_000_000] as [Int64] {
            timer.recordNanoseconds(nanoseconds)
        }
        var exposition = Exposition()
        exposition.add(MetricTable.latency, try #require(registry.distribution(of: MetricTable.latency, nil)))
        let name = MetricTable.latency.name
        for line in [
            "_bucket{le=\"0.05\"} 1", "_bucket{le=\"0.1\"} 2", "_bucket{le=\"3600\"} 2", "_bucket{le=\"+Inf\"} 3",
        ] {
            #expect(exposition.text.contains(name + line + "\n"), "\(line)")
        }
        #expect(exposition.text.contains("\(name)_count 3\n") && exposition.text.contains("\(name)_sum 7200.101\n"))
    }

    @Test("that no number can say are written in the format's own words")
    func numbers() {
        let texts = [.nan, .infinity, -.infinity, 0, 1e16, 0.25].map(Exposition.number)
        #expect(texts == ["NaN", "+Inf", "-Inf", "0", "1e+16", "0.25"])
    }
}
