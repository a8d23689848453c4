import CoreMetrics
import Synchronization

/// Keeps what is counted and measured by way of swift-metrics, for Prometheus to read.
///
/// It knows the metrics of `MetricTable` and no others: what has another name, or a label of another value, goes
/// nowhere. So no mistake elsewhere can make series without end.
public final class MetricRegistry: MetricsFactory {
    /// One series: a metric and the value of its label.
    struct Series: Sendable, Hashable {
        let name: String
        let value: String?
    }

    private let counters: [Series: CounterCell]
    private let histograms: [Series: HistogramCell]
    private let strangers = Mutex<Set<String>>([])

    public init() {
        var counters: [Series: CounterCell] = [:]
        var histograms: [Series: HistogramCell] = [:]
        for definition in MetricTable.all {
            for value in definition.series {
                let series = Series(name: definition.name, value: value)
                switch definition.kind {
                case .counter: counters[series] = CounterCell()
                case .histogram(let bounds): histograms[series] = HistogramCell(bounds: bounds)
                case .gauge: break
                }
            }
        }
        self.counters = counters
        self.histograms = histograms
    }

    /// The names of what was asked for and isn't known: none, or somebody forgot the table.
    var unknown: Set<String> { strangers.withLock { $0 } }

    func count(of definition: MetricDefinition, _ value: String?) -> Int64 {
        counters[Series(name: definition.name, value: value)]?.value ?? 0
    }

    func distribution(of definition: MetricDefinition, _ value: String?) -> HistogramCell.Reading? {
        histograms[Series(name: definition.name, value: value)]?.reading
    }

    private func find<Cell>(_ cells: [Series: Cell], _ label: String, _ dimensions: [(String, String)]) -> Cell? {
        let definition = MetricTable.all.first { $0.name == label }
        let fits = dimensions.map(\.0) == (definition?.label.map { [$0.name] } ?? [])
        if fits, let cell = cells[Series(name: label, value: dimensions.first?.1)] { return cell }
        strangers.withLock { strangers in
            if strangers.count < 100 { strangers.insert(label) }
        }
        return nil
    }
}

extension MetricRegistry {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(counters, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// Gauges are read when somebody asks (`AgentCollector`, `FleetCollector`), so none is recorded.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        find(histograms, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(histograms, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    // The cells stay: a series that was there doesn't vanish.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

/// A number that only rises.
final class CounterCell: CounterHandler {
    private let state = Atomic<Int64>(0)

    var value: Int64 { state.load(ordering: .relaxed) }

    func increment(by amount: Int64) { state.wrappingAdd(max(0, amount), ordering: .relaxed) }
    func reset() { state.store(0, ordering: .relaxed) }
}

/// How many measurements lay under which bound.
final class HistogramCell: TimerHandler, RecorderHandler {
    /// What was measured so far.
    struct Reading: Sendable {
        let bounds: [Double]
        /// One for each bound, and one for what lay above all; not added up.
        var counts: [Int64]
        var sum = 0.0
    }

    private let state: Mutex<Reading>

    init(bounds: [Double]) {
        state = Mutex(Reading(bounds: bounds, counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    var reading: Reading { state.withLock { $0 } }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        state.withLock { reading in
            let place = reading.bounds.firstIndex { value <= $0 } ?? reading.bounds.count
            reading.counts[place] += 1
            reading.sum += value
        }
    }
}
