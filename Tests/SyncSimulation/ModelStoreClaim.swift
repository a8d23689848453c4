import SyncCore

/// What a claim sees: the database as it was when its statement began.
///
/// In PostgreSQL a statement reads in one snapshot but writes to the newest versions of rows, which others
/// may have changed since. So a claim has two steps, and others may act between them.
public struct ClaimSnapshot: Sendable {
    /// When the statement began: its time throughout.
    public let now: Int64
    let source: [UserKey: ModelSourceRow]
    let subscribers: [UserKey: ModelSubscriber]
    let control: ModelControl
    let lastChange: Int64

    /// The version that the snapshot shows; 0 where it has no such row.
    func wanted(_ user: UserKey) -> Int64 { subscribers[user]?.wanted ?? 0 }
}

/// What one claim brought, before anything was decided.
public struct ModelClaimBatch: Sendable {
    public let claims: [Claim]
    public let gate: Gate
    /// How many changes were folded.
    public let folded: Int
    /// Milliseconds until somebody is due whom this claim didn't take.
    public let nextDue: Int64?
    /// Whether changes of known users are held.
    public let isBraked: Bool
    /// When the oldest change was made that it is about, resyncs apart; `nil`: it is about none.
    public let oldestChange: Int64?
}

extension ModelStore {
    /// Both steps of a claim at once.
    public mutating func claim(limit: Int, foldLimit: Int, now: Int64) -> ModelClaimBatch {
        claim(limit: limit, foldLimit: foldLimit, reading: snapshot(now: now))
    }

    /// The first step: the statement begins.
    public func snapshot(now: Int64) -> ClaimSnapshot {
        ClaimSnapshot(
            now: now, source: source, subscribers: subscribers, control: control, lastChange: lastChange)
    }

    /// The second step: folds changes, and takes leases on users that may have one.
    public mutating func claim(limit: Int, foldLimit: Int, reading snapshot: ClaimSnapshot) -> ModelClaimBatch {
        let (gate, leases) = passGate(limit: limit, snapshot)
        let taken = takeChanges(foldLimit, snapshot)
        var claimed = fold(taken, leases: leases - kept(of: leases, snapshot), snapshot)
        let due = takeDue(leases - claimed.count, except: Set(taken.map(\.user)), snapshot)
        let live = due.compactMap { subscribers[$0] }.filter { $0.priority == 0 }
        claimed += due
        let leased = Set(claimed)
        let next = subscribers.values.filter { !leased.contains($0.user) }.compactMap(\.dueAt).min()
        return ModelClaimBatch(
            claims: claimed.compactMap { claim(of: $0, snapshot) }, gate: gate, folded: taken.count,
            nextDue: next.map { max(0, $0 - snapshot.now) }, isBraked: snapshot.control.brakedAt != nil,
            oldestChange: (taken.map(\.changedAt) + live.compactMap(\.changedAt)).min())
    }

    /// Whether, and how many, users may be pushed. During an account pause one agent may try one user.
    private mutating func passGate(limit: Int, _ snapshot: ClaimSnapshot) -> (Gate, leases: Int) {
        let now = snapshot.now
        if let until = snapshot.control.throttledUntil, until > now {
            return (.throttled(.milliseconds(until - now)), 0)
        }
        guard snapshot.control.pause != nil else { return (.open, limit) }
        let someoneIsDue = snapshot.subscribers.values.contains { ($0.dueAt ?? .max) <= now }
        if control.pause == .account, let probeAt = control.probeAt, probeAt <= now, someoneIsDue {
            control.probeAt = now + min(300_000, 5_000 << Int64(min(control.probeFailures, 10)))
            control.probeFailures += 1
            return (.probing, min(limit, 1))
        }
        return (.paused(probeAfter: snapshot.control.probeAt.map { .milliseconds(max(0, $0 - now)) }), 0)
    }

    private mutating func takeChanges(_ most: Int, _ snapshot: ClaimSnapshot) -> [ModelChange] {
        let visible = mistakes.contains(.staleRead) ? lastChange : snapshot.lastChange
        let taken = changes.filter { $0.number <= visible }.prefix(most)
        guard let last = taken.last else { return [] }
        changes.removeAll { $0.number <= last.number }
        return Array(taken)
    }

    /// How many leases new changes leave to those who have been due for long.
    private func kept(of leases: Int, _ snapshot: ClaimSnapshot) -> Int {
        let due = snapshot.subscribers.values.count { $0.priority == 0 && ($0.dueAt ?? .max) <= snapshot.now - 10_000 }
        return min(due, (leases + 3) / 4)
    }

    /// - Returns: the users that were leased.
    private mutating func fold(_ taken: [ModelChange], leases: Int, _ snapshot: ClaimSnapshot) -> [UserKey] {
        var order: [UserKey] = []
        var changedAt: [UserKey: Int64] = [:]
        for change in taken {
            if changedAt[change.user] == nil { order.append(change.user) }
            changedAt[change.user] = max(changedAt[change.user] ?? .min, change.changedAt)
        }
        var claimed: [UserKey] = []
        for (rank, user) in order.enumerated() {
            let isNew = subscribers[user] == nil
            var row = subscribers[user] ?? ModelSubscriber(user: user)
            if !isNew { row.wanted += 1 }
            row.priority = 0
            row.changedAt = max(row.changedAt ?? .min, changedAt[user] ?? .min)
            let isReadNewEnough = snapshot.wanted(user) + 1 == row.wanted || mistakes.contains(.staleRead)
            if rank < leases, isReadNewEnough, !row.isLeased(at: snapshot.now) {
                lease(&row, snapshot)
                claimed.append(user)
            } else if row.lease == nil {
                row.dueAt = min(row.dueAt ?? snapshot.now, snapshot.now)
            }
            subscribers[user] = row
        }
        return claimed
    }

    /// Users that were due before: retries, ended leases, resyncs.
    private mutating func takeDue(_ leases: Int, except folded: Set<UserKey>, _ snapshot: ClaimSnapshot) -> [UserKey] {
        guard leases > 0 else { return [] }
        let due = subscribers.values
            .filter { row in
                guard let dueAt = row.dueAt, dueAt <= snapshot.now, !folded.contains(row.user) else { return false }
                return row.wanted == snapshot.wanted(row.user) || mistakes.contains(.staleRead)
            }
            .sorted { ($0.priority, $0.dueAt ?? 0, $0.user) < ($1.priority, $1.dueAt ?? 0, $1.user) }
            .prefix(leases)
        for var row in due {
            lease(&row, snapshot)
            subscribers[row.user] = row
        }
        return due.map(\.user)
    }

    /// Takes the lease; from one that ended without a word, its doubts as well.
    private mutating func lease(_ row: inout ModelSubscriber, _ snapshot: ClaimSnapshot) {
        let end = snapshot.now + leaseLength
        if row.lease != nil {
            for field in mapped { row.told[field] = .unknown }
            if !mistakes.contains(.noDoubtAfterTakeover) { row.doubtedUntil = end }
        }
        row.lease = freshLease()
        row.attempts += 1
        row.lastAttemptAt = snapshot.now
        row.dueAt = end
        if row.admittedAt == nil {
            let source = snapshot.source[row.user]
            row.reference = source?.inScope == true ? source?.reference : nil
        }
    }

    private func claim(of user: UserKey, _ snapshot: ClaimSnapshot) -> Claim? {
        guard let row = subscribers[user], let lease = row.lease else { return nil }
        return Claim(
            user: user, lease: Lease(token: lease), version: row.wanted, attempt: row.attempts,
            standing: row.standing, source: state(of: user, snapshot),
            admitted: row.admittedAt == nil ? nil : Reference(row.reference), subscriber: row.subscriberID,
            told: row.told, isDoubted: row.doubtedUntil != nil, isResync: row.priority == 1,
            earlier: pairs.filter { $0.user == user }.compactMap { Reference(known: $0.reference) },
            accepted: row.acceptedReference)
    }

    private func state(of user: UserKey, _ snapshot: ClaimSnapshot) -> SourceState {
        guard let row = snapshot.source[user] else { return .deleted }
        guard row.inScope else { return .outOfScope }
        let profile = Profile(columns: row.fields, rules: values)
        return .present(Reference(row.reference), profile, modelDigests(of: profile, mapped: mapped))
    }
}

extension ClaimSnapshot {
    /// Whether whoever takes this user now takes over from somebody who never said a word.
    func isTakenOver(_ user: UserKey) -> Bool { subscribers[user]?.lease != nil }
}
