import TestSupport

/// One thing that goes wrong, and for how long.
enum Strike: Sendable {
    /// What two strikes can't do to at once: they come one after the other.
    enum Lane: String, Sendable, CaseIterable {
        case processes, database, network, api
    }

    /// What an agent is cut off from, or one direction of it.
    enum Direction: String, Sendable, CaseIterable {
        case up, down, both

        var isUp: Bool { self != .down }
        var isDown: Bool { self != .up }
    }

    /// What becomes of users in frozen calls, besides that they change.
    struct Thaw: Sendable {
        /// They change again just before the agent wakes up, and are in another's hands then.
        let changesAgain: Bool
        /// Their keys change: another user has the reference when the call lands.
        let changesKeys: Bool
    }

    // Processes
    /// SIGKILL, and started again after a while.
    case kill(agents: [Int], downFor: Duration)
    /// SIGSTOP, and SIGCONT.
    case suspend(agent: Int, Duration)
    /// SIGTERM, and started again.
    case terminate(agent: Int)
    /// SIGSTOP with calls in the wire: those are held in one direction and arrive when the process wakes up, as what
    /// stands in the buffers of a virtual machine that was suspended. Meanwhile those users change, and some of them are
    /// in another's hands when it wakes up, or have become other users with the same reference.
    case freeze(agent: Int, Duration, Direction, Write, Thaw)
    /// SIGKILL of everybody while calls that create subscribers are unanswered; then those users' references change.
    case orphan(insert: Write, move: Write)

    // The database
    case restart(PostgresServer.StopMode)
    /// The agents' connections end, so often, at this distance.
    case endBackends(times: Int, every: Duration)
    /// Idle connections take what the agents' ended ones leave.
    case exhaust(Duration)

    // The network
    case hold(agent: Int, Relay.Way.Goal, Direction, Duration)
    /// What is open becomes half-open for good.
    case lose(agent: Int, Relay.Way.Goal)
    case reset(agent: Int, Relay.Way.Goal)
    case refuse(agent: Int, Relay.Way.Goal, Duration)

    // The API
    /// Faults in the sandbox's language.
    case weather([String], Duration)

    /// For the counts, and the trace.
    var name: String {
        switch self {
        case .kill(let agents, _): "kill\(agents.count > 1 ? "All" : "")"
        case .suspend(_, let span): span > .seconds(10) ? "suspendLong" : "suspend"
        case .terminate: "terminate"
        case .freeze(_, _, let direction, _, _): "freeze-\(direction.rawValue)"
        case .orphan: "orphan"
        case .restart(let mode): "restart-\(mode.rawValue)"
        case .endBackends: "endBackends"
        case .exhaust: "exhaust"
        case .hold(_, let goal, let direction, _): "hold-\(goal.rawValue)-\(direction.rawValue)"
        case .lose(_, let goal): "lose-\(goal.rawValue)"
        case .reset(_, let goal): "reset-\(goal.rawValue)"
        case .refuse(_, let goal, _): "refuse-\(goal.rawValue)"
        case .weather: "weather"
        }
    }

    /// What the trace says besides the name.
    var details: String {
        switch self {
        case .kill(let agents, let span): "\(agents) for \(span)"
        case .suspend(let agent, let span): "\(agent) for \(span)"
        case .terminate(let agent), .lose(let agent, _), .reset(let agent, _): "\(agent)"
        case .freeze(let agent, let span, _, _, let thaw):
            "\(agent) for \(span)\(thaw.changesKeys ? ", other keys" : "")\(thaw.changesAgain ? ", late changes" : "")"
        case .orphan, .restart: ""
        case .endBackends(let times, let distance): "\(times) times every \(distance)"
        case .exhaust(let span): "for \(span)"
        case .hold(let agent, _, _, let span), .refuse(let agent, _, let span): "\(agent) for \(span)"
        case .weather(let faults, let span): "\(faults.joined(separator: "; ")) for \(span)"
        }
    }
}
