import SyncCore
import SyncStore

extension FleetStatus {
    var agentsCheck: Check {
        guard agents > 0 else {
            return .warn(
                "agents", "No agent is running.", hint: "Start one; changes wait until then.",
                remedy: "subscriber-sync run")
        }
        guard agentsListening < agents, let pollingReason else { return .ok("agents", "\(agents) alive.") }
        return .warn(
            "agents", "\(agents - agentsListening) of \(agents) poll: \(pollingReason).",
            hint: "Changes arrive within capture.poll_interval all the same.")
    }

    /// A pause that an operator asked for is no fault.
    var pauseCheck: Check {
        if let pause {
            return Check(
                "pause", pause.kind == "operator" ? .warn : .fail, "Pushing is \(pause.explanation).",
                hint: "Mend the reason first.", remedy: "subscriber-sync resume")
        }
        if let concern, agents > 0 {
            return .warn(
                "pause", "Pushing goes on, but: \(concern).", hint: "`subscriber-sync status` has the figures.")
        }
        return .ok("pause", "Pushing is not paused.")
    }
}
