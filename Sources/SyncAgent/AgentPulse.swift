import NIOConcurrencyHelpers
import SyncCore

/// What others may know of a running agent at any moment: whether its loop turns, and what it has done.
public final class AgentPulse: Sendable {
    /// A reading.
    public struct Reading: Sendable, Hashable {
        /// Settled since the start, by outcome.
        public var outcomes: [Settlement.Outcome: Int] = [:]
        public var held = 0
        /// Calls that have begun and aren't answered.
        public var inFlight = 0
        /// How many agents were alive when this one said so last, itself included.
        public var agents = 1
        /// How many calls may be in flight: `delivery.concurrency`, or less while SignalWire has enough.
        public var concurrency: Int?
        public var isDatabaseReachable = true
        public var isStopping = false
        /// When the loop last handled an event.
        public var turnedAt = ContinuousClock.now
    }

    private let state = NIOLockedValueBox(Reading())

    public init() {}

    public var reading: Reading { state.withLockedValue { $0 } }

    func update(_ change: (inout Reading) -> Void) { state.withLockedValue { change(&$0) } }
}
