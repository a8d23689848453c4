import SyncCore

extension Failure {
    /// A call by hand that didn't bring what it was made for.
    init(_ answer: PushAnswer) {
        switch answer.outcome {
        case .accepted: self.init(.software, "SignalWire accepted the call, but its answer held no token.")
        case .rejected(let problem):
            self.init(.data, "SignalWire rejected the call: \(problem.code): \(problem.message)")
        case .throttled(_, let problem):
            self.init(
                .temporary, "SignalWire asked to wait: \(problem.code): \(problem.message)", hint: "Try again later.")
        case .unavailable(let problem, _):
            self.init(
                .unavailable, "SignalWire did not answer: \(problem.code): \(problem.message)",
                hint: "Check SIGNALWIRE_SPACE and the network.")
        case .account(let problem):
            self.init(
                .config, "SignalWire refused the account: \(problem.code): \(problem.message)",
                hint: "Check SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and the token's scopes.")
        }
    }
}
