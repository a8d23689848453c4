import SyncCore

extension ModelStore {
    /// Writes a batch of settlements and their log rows.
    ///
    /// - Parameter locked: users whose rows somebody else has locked just then; they come back as skipped.
    public mutating func settle(_ batch: [Settlement], locked: Set<UserKey> = [], now: Int64) -> SettleReport {
        var report = SettleReport(settled: 0)
        let lost = Set(
            batch.filter { !locked.contains($0.user) && isLost($0) }.map(\.user))
        for settlement in batch {
            guard !locked.contains(settlement.user) else {
                report.skipped.append(settlement)
                continue
            }
            let isHeld = subscribers[settlement.user]?.lease == settlement.lease.token
            let heirs = isHeld ? [] : heirs(of: settlement)
            let others = locked.union(batch.map(\.user)).subtracting(lost)
            guard heirs.allSatisfy({ !others.contains($0) }) else {
                report.skipped.append(settlement)
                continue
            }
            guard var row = subscribers[settlement.user] else {
                for heir in heirs {
                    lost.contains(heir) ? doubt(heir, of: settlement, now: now) : warn(heir, of: settlement, now: now)
                }
                report.settled += 1
                continue
            }
            if row.lease == settlement.lease.token || mistakes.contains(.noFence) {
                keep(settlement, in: &row, now: now)
                report.settled += 1
                if let dueAt = row.dueAt, dueAt <= now { report.dueNow += 1 }
                note(settlement, as: settlement.note?.outcome.rawValue)
            } else {
                redo(settlement, in: &row, now: now)
                for heir in heirs {
                    lost.contains(heir) ? doubt(heir, of: settlement, now: now) : warn(heir, of: settlement, now: now)
                }
                report.lost += 1
                note(settlement, as: "lease_lost")
            }
            subscribers[settlement.user] = row
            if isHeld, settlement.standing == .deleted, row.admittedAt != nil, let folded = row.folded {
                releaseDuplicates(of: [folded], besides: locked.union(batch.map(\.user)), now: now)
            }
        }
        return report
    }

    /// Who has the subscriber that was called by now, after a change of the key or of references.
    private func heirs(of settlement: Settlement) -> [UserKey] {
        let current = subscribers[settlement.user]?.folded
        let called = mistakes.contains(.lateCallTakenForCurrent) ? current : settlement.called?.folded
        guard let called else { return [] }
        return subscribers.values.filter {
            $0.user != settlement.user && $0.admittedAt != nil && $0.standing != .deleted && $0.folded == called
        }.map(\.user).sorted()
    }

    private func isLost(_ settlement: Settlement) -> Bool {
        subscribers[settlement.user].map { $0.lease != settlement.lease.token } ?? false
    }

    /// An heir that lost its own lease in the same batch is due again for that; the other's call may land on it all the
    /// same.
    private mutating func doubt(_ heir: UserKey, of settlement: Settlement, now: Int64) {
        guard settlement.doubt == .raised, let row = subscribers[heir] else { return }
        subscribers[heir]?.doubtedUntil = max(row.doubtedUntil ?? .min, now + leaseLength)
    }

    private mutating func warn(_ heir: UserKey, of settlement: Settlement, now: Int64) {
        guard var row = subscribers[heir] else { return }
        redo(settlement, in: &row, now: now)
        subscribers[heir] = row
    }

    private mutating func keep(_ settlement: Settlement, in row: inout ModelSubscriber, now: Int64) {
        if let record = unwrittenAdmissions.removeValue(forKey: settlement.lease.token), settlement.told != nil {
            write(record, in: &row, isPaid: row.admittedAt != nil && row.reference == record.reference)
        }
        let doubtLeft = doubtLeft(by: settlement, in: row, now: now)
        row.lease = nil
        if let standing = settlement.standing { row.standing = standing }
        // What a predecessor left is kept where the push knew nothing of it.
        if let told = settlement.told { row.told.merge(told) { _, new in new } }
        if let subscriber = settlement.subscriber { row.subscriberID = subscriber }
        switch settlement.attempts {
        case .cleared: row.attempts = 0
        case .kept: break
        case .givenBack: row.attempts = max(0, row.attempts - 1)
        }
        if let note = settlement.note {
            if note.outcome == .accepted || note.outcome == .subscriberIDChanged { row.syncedAt = now }
            row.lastErrorCode = note.problem?.code
        }
        row.doubtedUntil = doubtLeft
        row.dueAt = due(after: settlement, in: row, doubtLeft, now: now)
    }

    /// A doubt that is younger than the claim outlives its success.
    private func doubtLeft(by settlement: Settlement, in row: ModelSubscriber, now: Int64) -> Int64? {
        switch settlement.doubt {
        case .cleared: row.doubtedUntil.flatMap { $0 > (row.lastAttemptAt ?? .min) ? $0 : nil }
        case .kept: row.doubtedUntil
        case .raised: max(row.doubtedUntil ?? .min, now + leaseLength)
        }
    }

    private func due(
        after settlement: Settlement, in row: ModelSubscriber, _ doubtLeft: Int64?, now: Int64
    ) -> Int64? {
        if row.wanted != settlement.version, !mistakes.contains(.settleWithoutVersion) { return now }
        if settlement.doubt == .cleared, let doubtLeft { return max(doubtLeft, now) }
        switch settlement.due {
        case .never: return nil
        case .after(let wait): return now + wait.millisecondsRoundedUp
        }
    }

    /// The lease was lost: whatever came of the call, it may have overwritten newer data, and only sending
    /// again heals that. One without an answer may even do so later.
    private func redo(_ settlement: Settlement, in row: inout ModelSubscriber, now: Int64) {
        guard !mistakes.contains(.noRedirtyAfterLostLease) else { return }
        let mayLandLater = settlement.doubt == .raised && !mistakes.contains(.lostDoubtEndsAtOnce)
        row.wanted += 1
        row.doubtedUntil = max(row.doubtedUntil ?? .min, mayLandLater ? now + leaseLength : now)
        if !row.isLeased(at: now) { row.dueAt = now }
    }

    private mutating func note(_ settlement: Settlement, as outcome: String?) {
        guard let outcome else { return }
        log.append(
            ModelLogRow(user: settlement.user, outcome: outcome, errorCode: settlement.note?.problem?.code))
    }
}
