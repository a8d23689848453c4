import SyncCore

/// What the brakes go by, and what an operator answers: `SyncStore/Brakes`, as a model.
extension ModelStore {
    /// How many subscribers were there before the window in which changes are counted.
    func knownBeforeWindow(_ window: Int64, now: Int64) -> Int {
        subscribers.values.count { ($0.admittedAt ?? .max) < now - window }
    }

    /// The most known users who changed within one window, since an operator judged last.
    ///
    /// - Parameter oldest: when the oldest change was made that is to be pushed now; `nil`: just now.
    func changedInWindow(_ window: Int64, from oldest: Int64?, now: Int64) -> Int {
        let start = mistakes.contains(.brakeLooksOnlyBack) ? now : min(oldest ?? now, now)
        let begin = max(start - window, now - Self.admissionWindow, control.judgedAt)
        var newest: [UserKey: Int64] = [:]
        for row in subscribers.values { newest[row.user] = row.changedAt }
        // And what waits to be folded.
        for change in changes {
            newest[change.user] = max(newest[change.user] ?? .min, change.changedAt)
        }
        let times = newest.filter { user, changedAt in
            guard let row = subscribers[user], let admittedAt = row.admittedAt else { return false }
            return admittedAt < now - window && row.standing != .deleted && changedAt > begin
        }.values
        return times.map { end in times.count { $0 <= end && $0 >= end - window } }.max() ?? 0
    }

    /// Changes of known users are held from now on.
    public mutating func brake(now: Int64) { control.brakedAt = control.brakedAt ?? now }

    /// Nobody sends because the configuration looks wrong.
    mutating func pauseForSuspicion(_ suspicion: Suspicion, now: Int64) {
        guard control.pause == nil || control.pause == .account else { return }
        control.pause = .suspicious
        control.probeAt = nil
        control.probeFailures = 0
        control.suspectCode = suspicion.problem.code
        control.suspectSince = now - suspicion.lasting.millisecondsRoundedUp - 60_000
    }

    /// Where the configuration was suspected, its rejections say nothing about the users.
    mutating func releaseSuspected(now: Int64) {
        guard control.pause == .suspicious, let code = control.suspectCode else { return }
        for (user, row) in subscribers where row.standing == .rejected && row.dueAt == nil && row.lastErrorCode == code
        {
            guard (row.lastAttemptAt ?? .min) >= control.suspectSince else { continue }
            subscribers[user]?.dueAt = now
            subscribers[user]?.wanted += 1
        }
    }

    /// Users who are held by a brake, by its code.
    func heldByBrakes(_ reason: HoldReason) -> [UserKey] {
        subscribers.values.filter { $0.standing == .held && $0.lastErrorCode == reason.rawValue }.map(\.user).sorted()
    }

    /// Lets everything that the brakes hold go on.
    ///
    /// - Returns: how many changed and new users those are.
    @discardableResult
    public mutating func approve(now: Int64) -> (changed: Int, new: Int) {
        let (changed, new) = (heldByBrakes(.massChange), heldByBrakes(.newSubscriberLimit))
        for user in changed + new {
            guard let row = subscribers[user] else { continue }
            let keepsLease = row.isLeased(at: now) && !mistakes.contains(.approvalEndsLeases)
            if !keepsLease { subscribers[user]?.dueAt = min(row.dueAt ?? now, now) }
            subscribers[user]?.wanted += 1
        }
        if !new.isEmpty {
            control.extraSubscribers = new.count + (control.extraUntil > now ? control.extraSubscribers : 0)
            control.extraUntil = now + Self.admissionWindow
        }
        judge(now: now)
        return (changed.count, new.count)
    }

    /// Leaves what the brakes hold unsent, and judges nothing that no agent has looked at yet.
    @discardableResult
    public mutating func reject(window: Int64, now: Int64) -> (changed: Int, new: Int) {
        let (changed, new) = (heldByBrakes(.massChange), heldByBrakes(.newSubscriberLimit))
        for user in changed + new { subscribers[user]?.lastErrorCode? += "_rejected" }
        let due = subscribers.values.filter { $0.priority == 0 && ($0.dueAt ?? .max) <= now && $0.lease == nil }
        let unjudged = (changes.map(\.changedAt) + due.compactMap(\.changedAt))
            .filter { time in control.brakedAt.map { time > $0 - window } ?? false }
        judge(now: max(control.judgedAt, min(now, unjudged.min().map { $0 - 1 } ?? now)))
        return (changed.count, new.count)
    }

    private mutating func judge(now: Int64) {
        control.brakedAt = nil
        control.judgedAt = now
    }

    /// The limit with what an operator has allowed beyond it; -1 is none.
    func widened(_ limit: Int, now: Int64) -> Int {
        limit < 0 ? -1 : limit + (control.extraUntil > now ? control.extraSubscribers : 0)
    }
}
