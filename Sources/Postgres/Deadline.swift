/// The moment at which waiting ends.
struct Deadline {
    /// `nil`: never.
    private let instant: SuspendingClock.Instant?

    static let never = Deadline(instant: nil)

    static func after(_ duration: Duration) -> Deadline {
        Deadline(instant: SuspendingClock.now.advanced(by: duration))
    }

    /// The same, or the moment in so long from now, whichever is first.
    func atMost(_ duration: Duration) -> Deadline {
        let other = SuspendingClock.now.advanced(by: duration)
        return Deadline(instant: instant.map { min($0, other) } ?? other)
    }

    var hasPassed: Bool { instant.map { $0 <= .now } ?? false }

    /// As `poll` wants it: rounded up, so that it doesn't spin through the last millisecond; -1 is for ever.
    var remainingMilliseconds: Int32 {
        guard let instant else { return -1 }
        let left = SuspendingClock.now.duration(to: instant)
        guard left > .zero else { return 0 }
        return Int32(clamping: left.milliseconds + 1)
    }
}

/// How long an exchange with the server may take.
struct Patience {
    /// When the connection is taken for dead.
    let deadline: Deadline
    /// How long the server has for its answer after a cancellation.
    let grace: Duration
    /// From when on the server may have ended the statement by itself. What it ends earlier, somebody cancelled.
    let timeoutPasses: Deadline
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isOverflow) = seconds.multipliedReportingOverflow(by: 1000)
        return isOverflow ? Int64.max : product + attoseconds / 1_000_000_000_000_000
    }
}
