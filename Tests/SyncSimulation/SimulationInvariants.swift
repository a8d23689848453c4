import SyncCore

/// The promises, as what can be seen of them from outside.
extension Simulation {
    /// I3: one call at a time per user. Agents that slept, and clocks that jumped, are beyond it.
    mutating func checkAlone(_ call: Call) {
        guard !isDisturbed(call) else { return }
        for number in openCalls.keys.sorted() {
            guard let other = openCalls[number], other.job.claim.user == call.job.claim.user else { continue }
            if !isDisturbed(other) {
                fail("I3: agents \(other.life.agent) and \(call.life.agent) both call for \(call.job.claim.user)")
            }
        }
    }

    private func isDisturbed(_ call: Call) -> Bool {
        max(agents[call.life.agent].disturbedAt, clockJumpedAt) >= call.claimedAt
    }

    /// I6: no more subscribers than allowed, and no second one for a user whom nobody gave a new reference. One that
    /// somebody else has taken over since counts as theirs.
    mutating func checkCreations() {
        let limit = allowedSubscribers
        if settings.newSubscriberLimit >= 0, signalWire.subscribers.count > limit {
            fail("I6: \(signalWire.subscribers.count) subscribers were created where \(limit) were allowed")
        }
        guard settings.rules.referenceChange == .hold else { return }
        var owned: [UserKey: Int] = [:]
        for (reference, subscriber) in signalWire.subscribers {
            owned[owners[reference] ?? subscriber.creator, default: 0] += 1
        }
        for (user, count) in owned where count > 1 + acceptances[user, default: 0] {
            fail("I6: \(user) has \(count) subscribers")
        }
    }

    /// I6: no subscriber stands for two users.
    mutating func checkSharing() {
        let ids = store.subscribers.values.filter { $0.standing == .synced }.compactMap(\.subscriberID)
        if Set(ids).count < ids.count { fail("I6: one subscriber stands for two users") }
    }

    /// I1 and I5, when everything has come to rest.
    mutating func checkAtRest() {
        checkReleased()
        if !store.changes.isEmpty { fail("I5: changes are left") }
        if !Set(store.knownUsers).isSubset(of: usersEverWritten) { fail("I5: a user was never written") }
        for user in usersEverWritten.sorted() { checkAtRest(user) }
    }

    private mutating func checkAtRest(_ user: UserKey) {
        guard let state = store.subscribers[user] else { return fail("I1: \(user) is unknown") }
        guard state.lease == nil else { return fail("I1: \(user) is still leased") }
        guard let row = store.source[user] else { return expect(state, .deleted) }
        guard row.inScope else { return expect(state, .outOfScope) }
        switch state.standing {
        case .synced: checkInSync(state, row)
        case .held: checkHeld(state, row)
        case .rejected:
            figures.usersRejected += 1
            let profile = Profile(columns: row.fields, rules: settings.values)
            if !profile.values.values.contains(Self.refusedValue) { fail("I1: \(user) is rejected for nothing") }
        case .unsynced, .retrying, .outOfScope, .deleted: fail("I1: \(user) came to rest as \(state.standing)")
        }
    }

    private mutating func expect(_ state: ModelSubscriber, _ standing: Standing) {
        if state.standing != standing { fail("I1: \(state.user) is \(state.standing), not \(standing)") }
    }

    private mutating func checkInSync(_ state: ModelSubscriber, _ row: ModelSourceRow) {
        figures.usersInSync += 1
        guard let reference = Reference(row.reference), let known = signalWire.subscribers[reference.text] else {
            return fail("I1: SignalWire doesn't know \(state.user)")
        }
        if known.id != state.subscriberID { fail("I1: \(state.user) has the wrong subscriber") }
        guard !excused.contains(reference.text) else { return figures.usersExcused += 1 }
        let profile = Profile(columns: row.fields, rules: settings.values)
        // A zone that nobody knows is left out: what SignalWire was told before stays.
        let mapped = settings.mapped.filter { $0 != .timeZone || !profile.omitsTimeZone }
        for field in mapped where !isTold(known.fields[field], profile.values[field]) {
            fail(
                "I1: \(state.user)'s \(field.rawValue) is \(known.fields[field] ?? "absent"), not \(profile.values[field] ?? "blank")"
            )
        }
    }

    /// Whether SignalWire's value is right for what the row says.
    private func isTold(_ there: String?, _ wanted: String?) -> Bool {
        if let wanted { return there == wanted }
        return (there ?? "").isEmpty || settings.rules.cleared == .omit
    }

    /// A hold must have its reason.
    private mutating func checkHeld(_ state: ModelSubscriber, _ row: ModelSourceRow) {
        figures.usersHeld += 1
        if !isHoldJustified(state, row) {
            fail("I1: \(state.user) is held as \(state.lastErrorCode ?? "nothing") without reason")
        }
    }

    private func isHoldJustified(_ state: ModelSubscriber, _ row: ModelSourceRow) -> Bool {
        switch state.lastErrorCode.flatMap(HoldReason.init) {
        case .missingReference: Reference(row.reference) == nil
        case .referenceChanged: isStrange(row.reference, to: state)
        case .duplicateReference: hasNamesake(state, Reference(row.reference)?.folded)
        case .newSubscriberLimit: settings.newSubscriberLimit >= 0 && settings.brakes == nil
        case .invalidTimeZone: Profile(columns: row.fields, rules: settings.values).holdReason == .invalidTimeZone
        case .missingProfile, .massChange, .valueTooLong, nil: false
        }
    }

    /// Whether SignalWire knows the user by another reference, and this one was never theirs.
    private func isStrange(_ reference: String?, to state: ModelSubscriber) -> Bool {
        let text = Reference(reference)?.text
        let former = store.pairs.filter { $0.user == state.user }
        return (state.admittedAt != nil || !former.isEmpty) && !former.contains { $0.reference == text }
            && (state.admittedAt == nil || state.reference != text) && state.acceptedReference?.text != text
    }

    /// Where the limit holds somebody, the other one may be held by it as well.
    private func hasNamesake(_ state: ModelSubscriber, _ folded: String?) -> Bool {
        store.subscribers.values.contains {
            $0.user != state.user && $0.folded == folded
                && ($0.admittedAt != nil && $0.standing != .deleted || settings.newSubscriberLimit >= 0)
        }
    }
}
