/// Which values stand in the time zone's column that nobody knows, and how many users have each.
///
/// Such a value is shown: it is a mistake of a form or an import, and no secret of anybody's. It is shortened all the
/// same, in case another column was mapped by mistake.
public struct TimeZoneCensus: Sendable, Hashable {
    /// One unknown value.
    public struct Unknown: Sendable, Hashable {
        /// At most `longestShown` characters of it.
        public let value: String
        public let users: Int
    }

    /// Those that most users have, at most `mostShown`, the most frequent first.
    public let unknown: [Unknown]
    /// Users with any unknown value.
    public let users: Int
    /// How many unknown values there are.
    public let values: Int
    /// Whether each value was seen; where not, the rare ones were left out, and there may be more of everything.
    public let isComplete: Bool

    public static let mostShown = 20
    public static let longestShown = 64

    /// - Parameter counts: values as the column has them, and how many users have each.
    public init(counts: [(value: String, users: Int)], isComplete: Bool) {
        var unknown: [String: Int] = [:]
        for (value, users) in counts {
            let value = cleaned(value)
            guard !value.isEmpty, TimeZoneName.canonical(value) == nil else { continue }
            unknown[value, default: 0] += users
        }
        let sorted = unknown.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        self.unknown = sorted.prefix(TimeZoneCensus.mostShown).map {
            Unknown(value: String($0.key.prefix(TimeZoneCensus.longestShown)), users: $0.value)
        }
        users = unknown.values.reduce(0, +)
        values = unknown.count
        self.isComplete = isComplete
    }
}
