import SyncCore

/// What goes wrong, and how it heals.
extension Simulation {
    mutating func strike() {
        let fault = pick(settings.faults, &random)
        let span = Int64.random(in: 500...30_000, using: &random)
        note("fault: \(fault)")
        switch fault {
        case .crash, .stall: doom(fault)
        case .termination: terminate()
        case .databaseDown: weather.databaseDownUntil = now + span
        case .databaseFlaky: weather.databaseFlakyUntil = now + span
        case .signalWireDown: weather.signalWire = (.fails(applies: chance(0.5, &random)), now + span)
        case .clientError: weather.signalWire = (.rejects, now + span)
        case .throttled:
            let wait = chance(0.5, &random) ? Int64.random(in: 500...20_000, using: &random) : nil
            weather.signalWire = (.throttles(retryAfter: wait), now + span)
        case .account: weather.signalWire = (.refusesAccount, now + span)
        case .clockJump: jump()
        case .operatorPause:
            store.pauseByOperator()
            queue.schedule(.operatorResumes, at: now + span)
        case .resync: resync()
        case .acceptance: accept()
        }
    }

    /// The operator takes the new reference of somebody, whether or not it is held.
    private mutating func accept() {
        let user = pick(allUsers, &random)
        guard !store.acceptReferences(of: [user], now: databaseNow).isEmpty else { return }
        note("operator: takes the reference of \(user)")
        acceptances[user, default: 0] += 1
        notifyAll()
    }

    /// Any event of the next few can be the one that the agent doesn't live to see, or sleeps through.
    private mutating func doom(_ fault: SimulationSettings.Fault) {
        let index = Int.random(in: 0..<agents.count, using: &random)
        agents[index].doom = ModelAgent.Doom(
            fault: fault, eventsLeft: .random(in: 0...12, using: &random), isBeforeCall: chance(0.5, &random))
    }

    mutating func crash(_ index: Int) {
        guard agents[index].state != .dead else { return }
        note("agent \(index) crashes")
        figures.crashes += 1
        bury(index)
        queue.schedule(.agentStarts(index), at: now + .random(in: 0...30_000, using: &random))
    }

    mutating func stall(_ index: Int) {
        // Shorter than a lease, or long enough for another agent to be done with the user meanwhile.
        let lease = settings.leaseLength
        let span = Int64.random(in: chance(0.5, &random) ? 1...lease : lease...4 * lease, using: &random)
        note("agent \(index) stalls for \(span) ms")
        figures.stalls += 1
        agents[index].state = .stalled(until: now + span)
        agents[index].disturbedAt = now + span
    }

    private mutating func terminate() {
        let index = Int.random(in: 0..<agents.count, using: &random)
        guard agents[index].state != .dead else { return }
        queue.schedule(.reaches(agents[index].identity, .hears(.stopRequested)), at: now)
    }

    /// The database's clock jumps ahead, and leases end early. Not twice within two leases: a request
    /// that was sent before the first may outlive what the second leaves of a doubt.
    private mutating func jump() {
        guard clockJumpedAt == .min || now - clockJumpedAt > 2 * settings.leaseLength else { return }
        clockAhead += .random(in: 1_000...(4 * settings.leaseLength), using: &random)
        clockJumpedAt = now
    }

    private mutating func resync() {
        let users = allUsers
        let whom = pick([ModelResync.all, .failed, .users([pick(users, &random), pick(users, &random)])], &random)
        store.resync(whom, isForced: chance(0.5, &random), now: databaseNow)
        usersEverWritten.formUnion(store.knownUsers)
        notifyAll()
    }

    mutating func resumeByOperator() {
        store.resumeByOperator(now: databaseNow)
        watch.rejected = [:]
        notifyAll()
    }

    /// Everything works again, and nobody writes.
    mutating func heal() {
        note("everything heals")
        phase = .calming
        weather = Weather()
        resumeByOperator()
        // What users were rejected for before may be suspected later, by an agent that slept.
        if settings.brakes != nil {
            for minutes in [1, 5, 10] { queue.schedule(.operatorResumes, at: now + Int64(minutes) * 60_000) }
        }
        for index in agents.indices {
            agents[index].doom = nil
            if agents[index].state == .dead { start(index) }
        }
    }
}
