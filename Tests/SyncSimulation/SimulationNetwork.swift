import SyncCore

/// The way to SignalWire and back: requests that are lost, late, or answered in every way.
extension Simulation {
    /// The value that SignalWire's own rules always refuse.
    static let refusedValue = "refused"

    mutating func send(_ job: Job, _ index: Int) {
        let call = Call(
            number: number(), life: agents[index].identity, job: job, fate: fate(of: job.push),
            claimedAt: agents[index].realTime(of: job.claimedAt), sentAt: now)
        checkAlone(call)
        checkOverwriting(job)
        openCalls[call.number] = call
        figures.calls += 1
        let user = job.claim.user
        if store.subscribers[user]?.lease != job.claim.lease.token {
            agents[index].sentLate[job.claim.lease] = job.push.reference.text
        }
        note("agent \(index) sends \(user) \(job.push.tracedFields)")
        travel(call)
    }

    /// Decides when, and whether, a request lands, and whether its answer comes back.
    private mutating func travel(_ call: Call) {
        // Where the agent slept before it called, the answer matters most.
        let hasSlept = agents[call.life.agent].disturbedAt >= call.claimedAt
        let isLossy = phase == .trouble && chance(hasSlept ? 0.8 : settings.lostAnswer, &random)
        guard isLossy else {
            return schedule(
                landing: call, after: .random(in: 1...min(300, settings.timeout / 2), using: &random), isAnswered: true)
        }
        switch Int.random(in: 0...4, using: &random) {
        case 0: answer(call, .unavailable(.model("connection_refused"), .notSent), after: 1)
        case 1: loseAnswer(of: call)
        case 2:
            schedule(landing: call, after: .random(in: 0...settings.timeout, using: &random), isAnswered: false)
            loseAnswer(of: call)
        default:
            // As often as not, as late as can be.
            let latest = settings.latestLanding
            let earliest = chance(0.5, &random) ? min(settings.timeout, latest) : latest - latest / 20
            schedule(landing: call, after: .random(in: earliest...latest, using: &random), isAnswered: false)
            loseAnswer(of: call)
        }
    }

    private mutating func schedule(landing call: Call, after delay: Int64, isAnswered: Bool) {
        requestsUnderWay += 1
        queue.schedule(.lands(call, answered: isAnswered), at: now + delay)
    }

    private mutating func loseAnswer(of call: Call) {
        figures.callsWithoutAnswer += 1
        answer(call, .unavailable(.model("timeout"), .unanswered), after: settings.timeout)
    }

    private mutating func answer(_ call: Call, _ outcome: PushOutcome, after delay: Int64) {
        queue.schedule(.reaches(call.life, .callEnds(call.number, PushAnswer(outcome: outcome))), at: now + delay)
    }

    /// What SignalWire makes of a request: its own rules first, then whatever is wrong for a while.
    private mutating func fate(of push: Push) -> CallFate {
        if let wrong = weather.signalWire, now < wrong.until, chance(0.8, &random) { return wrong.fate }
        return push.fields.values.contains(Self.refusedValue) ? .rejects : .applies
    }

    mutating func land(_ call: Call, isAnswered: Bool) {
        requestsUnderWay -= 1
        let outcome = outcome(of: call)
        note(
            "SignalWire gets \(call.job.claim.user) \(call.job.push.tracedFields) from agent \(call.life.agent): \(call.fate)"
        )
        checkCreations()
        if isAnswered { answer(call, outcome, after: .random(in: 0...3, using: &random)) }
    }

    private mutating func outcome(of call: Call) -> PushOutcome {
        switch call.fate {
        case .applies:
            guard let id = signalWire.land(call.job.push, for: call.job.claim.user) else {
                return .unavailable(.model("no_id"), .answered)
            }
            return .accepted(id)
        case .rejects: return .rejected(.model("invalid_parameter"))
        case .throttles(let wait):
            return .throttled(retryAfter: wait.map { .milliseconds($0) }, .model("rate_limit_exceeded"))
        case .fails(let applies):
            if applies { _ = signalWire.land(call.job.push, for: call.job.claim.user) }
            return .unavailable(.model("internal_error_occurred"), .answered)
        case .refusesAccount: return .account(.model("insufficient_balance"))
        }
    }
}

extension Problem {
    fileprivate static func model(_ code: String) -> Problem { Problem(code: code, message: "The model says so.") }
}

extension Push {
    /// The model's values are made up, so the trace may show them.
    fileprivate var tracedFields: String {
        "\(reference.text) " + fields.keys.sorted().map { "\($0.rawValue)=\(fields[$0] ?? "")" }.joined(separator: " ")
    }
}
