import SyncCore

/// The shell around each dispatcher: what `SyncAgent` does, without a thread.
extension Simulation {
    mutating func start(_ index: Int) {
        guard agents[index].state == .dead else { return }
        agents[index].life += 1
        agents[index].state = .running
        agents[index].dispatcher = Dispatcher(
            settings: settings.dispatcher, seed: .random(in: .min ... .max, using: &random))
        if let brakes = settings.brakes {
            agents[index].gauge = BlastGauge(sharePercent: brakes.sharePercent, fewest: brakes.fewest)
        }
        agents[index].fleet = 1
        agents[index].desk = []
        agents[index].isDeskBusy = false
        agents[index].doom = nil
        agents[index].sentLate = [:]
        note("agent \(index) starts")
        countFleet()
        handle(.started, index)
    }

    /// Everybody hears how many share the rate.
    mutating func countFleet() {
        let living = agents.filter { $0.state != .dead }
        for agent in living {
            queue.schedule(.reaches(agent.identity, .hears(.fleetCounted(living.count))), at: now + 10)
        }
    }

    /// Everybody hears a notification, unless it is lost.
    mutating func notifyAll() {
        for agent in agents where agent.state != .dead && !chance(settings.lostNotification, &random) {
            queue.schedule(
                .reaches(agent.identity, .hears(.notified)), at: now + .random(in: 0...5, using: &random))
        }
    }

    mutating func reach(_ life: AgentLife, _ event: AgentEvent) {
        let index = life.agent
        guard agents[index].life == life.life else { return }
        if meetsDoom(index, event) { return reach(life, event) }
        switch agents[index].state {
        case .dead: return
        case .stalled(let until) where until > now: queue.schedule(.reaches(life, event), at: until)
        case .stalled, .running:
            agents[index].state = .running
            take(event, index)
        }
    }

    /// - Returns: whether a fault that was waiting for this event has struck.
    private mutating func meetsDoom(_ index: Int, _ event: AgentEvent) -> Bool {
        guard let doom = agents[index].doom, agents[index].state == .running else { return false }
        guard doom.eventsLeft == 0 else {
            agents[index].doom?.eventsLeft -= 1
            return false
        }
        if doom.isBeforeCall {
            guard case .sends = event else { return false }
        }
        agents[index].doom = nil
        if case .sends(let job) = event, chance(0.5, &random) { overtake(job.claim.user) }
        if doom.isBeforeCall, doom.fault == .crash, chance(0.5, &random) {
            // It makes its call, and nothing more.
            agents[index].doom = ModelAgent.Doom(fault: .crash, eventsLeft: 0, isBeforeCall: false)
            return false
        }
        if doom.fault == .crash { crash(index) } else { stall(index) }
        if doom.isBeforeCall, doom.fault == .stall, chance(0.4, &random) {
            // It wakes up, makes its call, and doesn't live to hear of it.
            agents[index].doom = ModelAgent.Doom(
                fault: .crash, eventsLeft: .random(in: 1...4, using: &random), isBeforeCall: false)
        }
        return true
    }

    private mutating func take(_ event: AgentEvent, _ index: Int) {
        switch event {
        case .hears(let event): handle(event, index)
        case .alarm(let number):
            if number == agents[index].alarm { handle(.ticked, index) }
        case .sends(let job): send(job, index)
        case .callEnds(let number, let answer):
            guard let call = openCalls.removeValue(forKey: number) else { return }
            note("agent \(index) \(call.job.claim.user): \(answer.outcome)")
            checkRejections(answer.outcome, of: call.job.claim.user, index)
            let lasted = PushAnswer(outcome: answer.outcome, duration: .milliseconds(now - call.sentAt))
            handle(.answered(call.job, lasted), index)
        case .databaseAnswers(let answer): hear(answer, index)
        }
    }

    mutating func handle(_ event: DispatcherEvent, _ index: Int) {
        if case .fleetCounted(let count) = event { agents[index].fleet = count }
        let actions = agents[index].dispatcher.handle(event, at: agents[index].instant(now))
        if agents[index].dispatcher.held > settings.dispatcher.capacity {
            fail("I5: agent \(index) holds \(agents[index].dispatcher.held) users")
        }
        for action in actions { begin(action, index) }
    }

    private mutating func begin(_ action: DispatcherAction, _ index: Int) {
        switch action {
        case .claim(let limit): ask(.beginClaim(limit: limit, claimedAt: agents[index].instant(now)), index)
        case .settle(let batch): ask(.settle(batch), index)
        case .throttleFleet(let wait): ask(.throttle(wait.millisecondsRoundedUp), index)
        case .pauseFleet: ask(.pause, index)
        case .resumeFleet: ask(.resume, index)
        case .suspectFleet(let suspicion):
            if !store.mistakes.contains(.suspicionIgnored) { ask(.suspect(suspicion), index) }
        case .push(let job):
            // A task of its own makes the call, a moment later: that moment can be long.
            queue.schedule(
                .reaches(agents[index].identity, .sends(job)), at: now + .random(in: 0...3, using: &random))
        case .wake(let instant):
            agents[index].alarm = number()
            queue.schedule(
                .reaches(agents[index].identity, .alarm(agents[index].alarm)),
                at: max(now, agents[index].realTime(of: instant)))
        case .finish(let end): finish(index, end)
        }
    }

    /// A terminated agent has ended by itself; somebody starts it again.
    private mutating func finish(_ index: Int, _ end: DispatcherEnd) {
        let held = agents[index].dispatcher.held
        note("agent \(index) ends: \(end), holding \(held)")
        bury(index)
        queue.schedule(.agentStarts(index), at: now + .random(in: 0...10_000, using: &random))
    }

    /// What a process leaves behind: requests and statements that are on their way, and nothing else.
    mutating func bury(_ index: Int) {
        excused.formUnion(agents[index].sentLate.values)
        let life = agents[index].identity
        for number in openCalls.keys.sorted() where openCalls[number]?.life == life { openCalls[number] = nil }
        agents[index].state = .dead
        agents[index].life += 1
        agents[index].isDeskBusy = false
        agents[index].dispatcher = Dispatcher(settings: settings.dispatcher, seed: 0)
        countFleet()
    }
}
