/// One metric: its name, what it says, and every series that it can have.
///
/// The values of its label are known beforehand, so the number of series is bounded whatever happens.
struct MetricDefinition: Sendable, Hashable {
    /// What kind of figure it is, as Prometheus tells them apart.
    enum Kind: Sendable, Hashable {
        /// Only rises, but for a restart.
        case counter
        case gauge
        /// The upper bounds of its buckets, ascending, without infinity.
        case histogram([Double])

        /// The word of the exposition format.
        var word: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// A label, and what it can be.
    struct Label: Sendable, Hashable {
        let name: String
        let values: [String]
    }

    let name: String
    let kind: Kind
    let help: String
    let label: Label?

    init(_ name: String, _ kind: Kind, _ label: Label, _ help: String) {
        self.name = name
        self.kind = kind
        self.label = label
        self.help = help
    }

    /// One series, without a label.
    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.label = nil
        self.help = help
    }

    /// The values of the label, or one series without.
    var series: [String?] { label?.values ?? [nil] }
}
