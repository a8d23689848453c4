import Foundation
import TestSupport
import Testing

@testable import Operations

@Suite("To promtool", .withPrometheus) struct PromtoolTests {
    @Test("the metrics are in order")
    func metrics() async throws {
        #expect(try await Prometheus.check(metrics: await Samples.exposition().text) == nil)
    }

    @Test("a metric that breaks the conventions isn't")
    func findsPlanted() async throws {
        let planted = "# TYPE requests counter\nrequests 1\n"
        #expect(try await Prometheus.check(metrics: planted)?.contains("requests") == true)
    }

    @Test("each alert of deploy/ fires where it should, and none before")
    func alerts() async throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../deploy/alerts.test.yaml")
        #expect(try await Prometheus.test(rules: tests.path) == nil)
    }

    @Test("the alerts name no metric that isn't in the table")
    func alertsNameMetrics() throws {
        let rules = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../deploy/alerts.yaml")
        let text = try String(contentsOf: rules, encoding: .utf8)
        let named = text.split(separator: "\n").filter { $0.contains("expr:") }.flatMap {
            $0.matches(of: #/subscriber_sync_\w+/#).map { String($0.output) }
        }
        #expect(Set(named).subtracting(MetricTable.all.map(\.name)) == [] && named.count >= 9)
    }
}
