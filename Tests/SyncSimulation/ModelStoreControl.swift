import SyncCore

/// Whom a resync means.
public enum ModelResync: Sendable, Hashable {
    case users([UserKey])
    case all
    /// Those that are rejected, retrying or held.
    case failed
}

extension ModelStore {
    /// Marks users due, those that were never seen included.
    ///
    /// - Parameter isForced: push even where nothing changed.
    public mutating func resync(_ whom: ModelResync, isForced: Bool, now: Int64) {
        for user in users(of: whom) {
            var row = subscribers[user] ?? ModelSubscriber(user: user)
            if subscribers[user] == nil {
                row.dueAt = now
                row.priority = 1
            } else {
                row.wanted += 1
                row.priority = row.dueAt != nil && row.priority == 0 ? 0 : 1
                if !row.isLeased(at: now) { row.dueAt = min(row.dueAt ?? now, now) }
            }
            if isForced { row.doubtedUntil = max(row.doubtedUntil ?? .min, now) }
            subscribers[user] = row
        }
    }

    private func users(of whom: ModelResync) -> [UserKey] {
        switch whom {
        case .users(let users): Set(users).filter { source[$0] != nil || subscribers[$0] != nil }.sorted()
        case .all: Set(source.keys).union(subscribers.keys).sorted()
        case .failed:
            subscribers.values.filter { [.rejected, .held, .retrying].contains($0.standing) }.map(\.user).sorted()
        }
    }

    /// Nobody sends before this. A longer silence that is agreed on already stays.
    public mutating func throttle(until: Int64) {
        control.throttledUntil = max(control.throttledUntil ?? .min, until)
    }

    /// Nobody sends because of the account; one probe at a time finds out when it works again.
    public mutating func pauseForAccount(now: Int64) {
        guard control.pause == nil else { return }
        control.pause = .account
        control.probeAt = now + 5_000
        control.probeFailures = 0
    }

    /// Ends an account pause after a probe succeeded; an operator's pause stays.
    public mutating func resumeAfterProbe() {
        if control.pause == .account { endPause() }
    }

    /// Nobody sends until the operator says so. No probe ends this one.
    public mutating func pauseByOperator() {
        control.pause = .operatorAsked
        control.probeAt = nil
        control.probeFailures = 0
    }

    /// Starts pushing again, whatever it was paused for.
    public mutating func resumeByOperator(now: Int64) {
        guard control.pause != nil else { return }
        releaseSuspected(now: now)
        endPause()
        control.throttledUntil = nil
    }

    /// Makes users due again whose reason to be held is gone: those of the cost brake, as far as the last 24
    /// hours have room, and those whose reference nobody else has any more.
    ///
    /// - Returns: how many.
    public mutating func releaseHeld(limit: Int, now: Int64) -> Int {
        let limit = widened(limit, now: now)
        let room = limit < 0 ? 1000 : min(1000, max(0, limit - admittedCount(now: now)))
        let waiting = subscribers.values
            .filter {
                $0.standing == .held && $0.lastErrorCode == HoldReason.newSubscriberLimit.rawValue && $0.dueAt == nil
            }
            .map(\.user).sorted().prefix(room)
        let released = waiting + freedDuplicates
        for user in released {
            subscribers[user]?.wanted += 1
            subscribers[user]?.dueAt = now
        }
        return released.count
    }

    /// Users held for a reference that nobody else has any more.
    private var freedDuplicates: [UserKey] {
        let taken = subscribers.values.filter { $0.admittedAt != nil && $0.standing != .deleted }
        return subscribers.values
            .filter { row in
                row.standing == .held && row.lastErrorCode == HoldReason.duplicateReference.rawValue && row.dueAt == nil
                    && !taken.contains {
                        $0.user != row.user && Reference($0.reference)?.folded == Reference(row.reference)?.folded
                    }
            }
            .map(\.user).sorted()
    }

    private mutating func endPause() {
        control.pause = nil
        control.probeAt = nil
        control.probeFailures = 0
    }
}
