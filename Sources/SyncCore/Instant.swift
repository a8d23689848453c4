/// A point on one process's monotonic clock. Only differences mean something.
///
/// Leases and due times are the database's business and clock; this one paces the process itself.
public struct Instant: Sendable, Hashable, Comparable {
    /// Since an origin of the process's own choosing.
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    public static func + (left: Self, right: Duration) -> Self {
        Self(nanoseconds: left.nanoseconds &+ right.nanoseconds)
    }

    public static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at some 292 years.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let scaled = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !scaled.overflow else { return seconds < 0 ? .min : .max }
        let sum = scaled.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        return sum.overflow ? (seconds < 0 ? .min : .max) : sum.partialValue
    }

    /// Whole milliseconds, rounded up, so that a wait is never a hair too short.
    public var millisecondsRoundedUp: Int64 {
        let nanos = nanoseconds
        return nanos <= 0 ? nanos / 1_000_000 : (nanos - 1) / 1_000_000 + 1
    }
}
