/// The steps that follow every event: each begins what there is room and reason for.
extension Dispatcher {
    /// Begins calls while there are users, room, and leave to.
    mutating func beginPushes(at now: Instant) -> [DispatcherAction] {
        if let throttledUntil, throttledUntil <= now { self.throttledUntil = nil }
        var actions: [DispatcherAction] = []
        var taken = 0
        while taken < queue.count, pushing < limit.value {
            let job = queue[queue.startIndex + taken]
            if now - job.claimedAt > settings.latestStart {
                // Too little of the lease is left for a call: hand it back rather than send it late.
                unsettled.append(Settlement(releasing: job.claim))
                taken += 1
                continue
            }
            guard throttledUntil == nil, pace.take(at: now) else { break }
            actions.append(.push(job))
            pushing += 1
            taken += 1
        }
        queue.removeFirst(taken)
        return actions
    }

    /// Writes what was decided, one batch at a time: whatever came while the last was written, and what comes within a
    /// moment.
    mutating func beginSettling(at now: Instant) -> [DispatcherAction] {
        if let settleAfter, settleAfter <= now { self.settleAfter = nil }
        guard settling == 0, !unsettled.isEmpty, settleAfter == nil else { return [] }
        guard !mayGather(at: now) else { return [] }
        let batch = unsettled
        unsettled = []
        gatherUntil = nil
        settling = batch.count
        return [.settle(batch)]
    }

    /// Whether more is to come soon: each batch costs the database a millisecond besides those in it.
    private mutating func mayGather(at now: Instant) -> Bool {
        let end = gatherUntil ?? now + DispatcherSettings.gatherSpan
        gatherUntil = end
        return phase == .running && pushing > 0 && unsettled.count < limit.value && now < end
    }

    /// How many may be held just now.
    var capacity: Int { settings.capacity(concurrency: limit.value, times: window.size) }

    /// Claims when a look is wanted and half of the capacity is free: batches are what makes it cheap.
    mutating func beginClaim(at now: Instant) -> [DispatcherAction] {
        if case .at(let instant) = look, instant <= now { look = .wanted(again: false) }
        guard case .wanted = look, phase == .running, throttledUntil == nil else { return [] }
        let room = capacity - held
        guard room > 0, 2 * room >= capacity else { return [] }
        look = .underWay(again: false)
        request = Request(users: room, whileCalling: !queue.isEmpty || pushing > 0)
        return [.claim(limit: room)]
    }

    /// A stopping dispatcher finishes when nothing is left and no claim is under way, or its time is up.
    mutating func finishIfDone(at now: Instant) -> [DispatcherAction] {
        guard phase == .stopping, let stopBy else { return [] }
        if now >= stopBy { return finish(.stopped) }
        guard held == 0 else { return [] }
        if case .underWay = look { return [] }
        return finish(.stopped)
    }

    /// Sets the one alarm to the earliest instant at which anything can be begun.
    mutating func planWake(at now: Instant) -> [DispatcherAction] {
        guard phase != .finished else { return [] }
        var instants: [Instant] = []
        if case .at(let instant) = look, phase == .running { instants.append(instant) }
        if !queue.isEmpty, pushing < limit.value {
            instants.append(max(throttledUntil ?? now, pace.next(after: now)))
            if let oldest = queue.first { instants.append(oldest.claimedAt + settings.latestStart + .milliseconds(1)) }
        }
        if !unsettled.isEmpty, let settleAfter { instants.append(settleAfter) }
        if settling == 0, let gatherUntil { instants.append(gatherUntil) }
        if let throttledUntil { instants.append(throttledUntil) }
        if let stopBy { instants.append(stopBy) }
        guard let earliest = instants.min(), earliest != wakeAt else { return [] }
        wakeAt = earliest
        return [.wake(at: earliest)]
    }

    /// When to look again after a claim: at once if there may be more, soon where it found somebody and while lingering,
    /// else when somebody is due or the poll interval has passed.
    func nextLook(after haul: Haul, at now: Instant) -> Instant {
        switch haul.gate {
        case .throttled(let wait): return now + max(wait, DispatcherSettings.shortestWait)
        case .paused(let probeAfter):
            let poll = haul.folded > 0 ? .zero : settings.pollInterval
            return now + max(min(poll, probeAfter ?? poll), DispatcherSettings.shortestWait)
        case .open, .probing: break
        }
        // Who was folded and not brought is due now.
        if haul.folded > haul.count || haul.count >= request.users { return now }
        // What it brought is called and written before the database is asked again; who was passed over, locked, can wait.
        if haul.count > 0 { return now + DispatcherSettings.pauseAfterFind }
        var wait = settings.pollInterval
        if let nextDue = haul.nextDue { wait = min(wait, max(nextDue, DispatcherSettings.shortestWait)) }
        if let lingerUntil, now < lingerUntil { wait = min(wait, DispatcherSettings.lingerStep) }
        return now + wait
    }
}
