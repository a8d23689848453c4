/// A seed that broke a promise, and how it came to that.
public struct SimulationFailure: Sendable, CustomStringConvertible {
    public let seed: UInt64
    public let violation: String
    /// Milliseconds of virtual time.
    public let at: Int64
    public let trace: [String]

    public var description: String {
        """
        Seed \(seed) at \(at) ms: \(violation)
        \(trace.joined(separator: "\n"))
        Rerun it alone: SUBSCRIBER_SYNC_SEED=\(seed) swift test --filter Simulation
        """
    }
}

/// What a run that broke nothing went through, to see that the simulation isn't idle.
public struct SimulationFigures: Sendable, Hashable {
    public var agents = 0
    public var calls = 0
    public var callsWithoutAnswer = 0
    public var crashes = 0
    public var stalls = 0
    public var takeovers = 0
    public var lostLeases = 0
    public var usersInSync = 0
    public var usersHeld = 0
    public var usersRejected = 0
    /// Users of whose subscriber nothing can be promised: see `Simulation.excused`.
    public var usersExcused = 0
    /// Known subscribers that were overwritten while a brake was there to hold them, and held changes.
    public var overwritten = 0
    public var braked = 0
    public var approvals = 0
    public var suspicions = 0
    /// Milliseconds of virtual time.
    public var duration: Int64 = 0

    public init() {}

    public static func += (left: inout Self, right: Self) {
        left.agents += right.agents
        left.calls += right.calls
        left.callsWithoutAnswer += right.callsWithoutAnswer
        left.crashes += right.crashes
        left.stalls += right.stalls
        left.takeovers += right.takeovers
        left.lostLeases += right.lostLeases
        left.usersInSync += right.usersInSync
        left.usersHeld += right.usersHeld
        left.usersRejected += right.usersRejected
        left.usersExcused += right.usersExcused
        left.overwritten += right.overwritten
        left.braked += right.braked
        left.approvals += right.approvals
        left.suspicions += right.suspicions
        left.duration += right.duration
    }
}

/// How one run ended.
public enum SimulationVerdict: Sendable {
    case held(SimulationFigures)
    case broken(SimulationFailure)
}
