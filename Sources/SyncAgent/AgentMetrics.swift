import CoreMetrics
import SyncCore

/// What an agent counts and measures, by way of swift-metrics: who collects it is not its business.
///
/// Every series is made beforehand, so that the first event of a kind is an increase from 0 and not a series that
/// begins.
public struct AgentMetrics: Sendable {
    private let syncs: [Settlement.Outcome: Counter]
    private let leasesLost: Counter
    private let requests: [StatusClass: Counter]
    private let requestTime: Timer
    private let latency: Timer
    private let listenLosses: Counter

    /// What SignalWire answered, as far as a metric tells.
    public enum StatusClass: String, Sendable, CaseIterable {
        case informational = "1xx"
        case success = "2xx"
        case redirect = "3xx"
        case refusal = "4xx"
        case failure = "5xx"
        /// No status line came.
        case none

        init(_ status: Int?) {
            switch status ?? 0 {
            case 100..<200: self = .informational
            case 200..<300: self = .success
            case 300..<400: self = .redirect
            case 400..<500: self = .refusal
            case 500..<600: self = .failure
            case _: self = .none
            }
        }
    }

    /// - Parameter factory: where the figures go; by default nowhere.
    public init(factory: any MetricsFactory = NOOPMetricsHandler.instance) {
        let counter = { (name: String, label: (String, String)?) in
            Counter(label: name, dimensions: label.map { [$0] } ?? [], factory: factory)
        }
        syncs = Dictionary(
            uniqueKeysWithValues: Settlement.Outcome.allCases.map {
                ($0, counter("subscriber_sync_syncs_total", ("outcome", $0.rawValue)))
            })
        requests = Dictionary(
            uniqueKeysWithValues: StatusClass.allCases.map {
                ($0, counter("subscriber_sync_api_requests_total", ("status", $0.rawValue)))
            })
        leasesLost = counter("subscriber_sync_leases_lost_total", nil)
        listenLosses = counter("subscriber_sync_listen_losses_total", nil)
        requestTime = Timer(
            label: "subscriber_sync_api_request_duration_seconds", dimensions: [], factory: factory)
        latency = Timer(label: "subscriber_sync_commit_to_accepted_seconds", dimensions: [], factory: factory)
    }

    func answered(_ answer: PushAnswer) {
        requests[StatusClass(answer.httpStatus)]?.increment()
        requestTime.recordNanoseconds(answer.duration.nanoseconds)
    }

    /// What was skipped comes again, and counts then.
    func settled(_ batch: [Settlement], _ report: SettleReport) {
        let skipped = Set(report.skipped.map(\.user))
        for settlement in batch where !skipped.contains(settlement.user) {
            if let note = settlement.note { syncs[note.outcome]?.increment() }
        }
        if report.lost > 0 { leasesLost.increment(by: report.lost) }
        for duration in report.latencies { latency.recordNanoseconds(duration.nanoseconds) }
    }

    func listeningLost() { listenLosses.increment() }
}
