import SyncCore

/// A claimed user whose push may create a subscriber.
public struct ModelAdmissionRequest: Sendable {
    public let user: UserKey
    public let lease: Lease
    public let reference: Reference

    public init(user: UserKey, lease: Lease, reference: Reference) {
        self.user = user
        self.lease = lease
        self.reference = reference
    }
}

extension ModelStore {
    /// The window of the cost brake: 24 hours in milliseconds.
    public static let admissionWindow: Int64 = 86_400_000

    /// Decides who may become a subscriber, and writes down those who may, before anything is sent.
    ///
    /// - Parameter limit: new subscribers in 24 hours; -1: any number.
    /// - Returns: an answer for each, in the order of the keys.
    public mutating func admit(_ requests: [ModelAdmissionRequest], limit: Int, now: Int64) -> [(UserKey, Admission)] {
        var answers: [(UserKey, Admission)] = []
        let limit = widened(limit, now: now)
        let requests = requests.sorted { $0.user < $1.user }
        let valid = requests.filter { subscribers[$0.user]?.lease == $0.lease.token }
        if !mistakes.contains(.referenceNotWrittenAhead) { retire(leaving(for: valid), now: now) }
        let firsts = firsts(among: valid)
        var free = limit - admittedCount(now: now)
        for request in requests {
            guard var row = subscribers[request.user], row.lease == request.lease.token else {
                answers.append((request.user, .leaseLost))
                continue
            }
            let isPaid = isPaid(row, request, now: now)
            if firsts[request.reference.folded] != request.user || isTaken(request) {
                refuse(request, as: .duplicate, &answers)
            } else if limit >= 0, !isPaid, free <= 0 {
                refuse(request, as: .overLimit, &answers)
            } else {
                if !isPaid { free -= 1 }
                record(request, in: &row, isPaid: isPaid, now: now)
                subscribers[request.user] = row
                answers.append((request.user, .admitted))
            }
        }
        return answers
    }

    /// Of those who ask for one reference: who has it already, or else the first by key.
    private func firsts(among requests: [ModelAdmissionRequest]) -> [String: UserKey] {
        let groups = Dictionary(grouping: requests, by: \.reference.folded)
        return groups.compactMapValues { group in
            group.map(\.user).first { subscribers[$0]?.admittedAt != nil } ?? group.first?.user
        }
    }

    /// Who has left a reference and may not have the other one yet, wants it all the same.
    private mutating func refuse(
        _ request: ModelAdmissionRequest, as verdict: Admission, _ answers: inout [(UserKey, Admission)]
    ) {
        if subscribers[request.user]?.admittedAt == nil {
            subscribers[request.user]?.reference = request.reference.text
        }
        answers.append((request.user, verdict))
    }

    /// Admissions within the window that ends now.
    func admittedCount(now: Int64) -> Int {
        subscribers.values.count { ($0.admittedAt ?? .min) > now - Self.admissionWindow }
            + pairs.count { $0.admittedAt > now - Self.admissionWindow }
    }

    /// Already paid for: the subscriber is there, or the call was counted and then interrupted. By this user or another,
    /// who has left it since.
    private func isPaid(_ row: ModelSubscriber, _ request: ModelAdmissionRequest, now: Int64) -> Bool {
        let start = now - Self.admissionWindow
        if pairs.contains(where: {
            $0.reference == request.reference.text && ($0.subscriberID != nil || $0.admittedAt > start)
        }) {
            return true
        }
        guard let admittedAt = row.admittedAt, row.reference == request.reference.text else { return false }
        return row.subscriberID != nil || admittedAt > start
    }

    /// Whether another user has the reference.
    private func isTaken(_ request: ModelAdmissionRequest) -> Bool {
        subscribers.values.contains {
            $0.user != request.user && $0.admittedAt != nil && $0.folded == request.reference.folded
        }
    }

    private mutating func record(
        _ request: ModelAdmissionRequest, in row: inout ModelSubscriber, isPaid: Bool, now: Int64
    ) {
        guard !mistakes.contains(.referenceNotWrittenAhead) else {
            unwrittenAdmissions[request.lease.token] = AdmissionRecord(reference: request.reference.text, at: now)
            return
        }
        write(AdmissionRecord(reference: request.reference.text, at: now), in: &row, isPaid: isPaid)
        if !mistakes.contains(.returningUserUnseen), row.standing == .deleted { row.standing = .unsynced }
        inherit(pairs.filter { $0.folded == request.reference.folded }, &row)
        pairs.removeAll { $0.user == request.user && $0.reference == request.reference.text }
    }

    /// Another reference is another subscriber: nothing of the old one holds.
    func write(_ record: AdmissionRecord, in row: inout ModelSubscriber, isPaid: Bool) {
        if row.admittedAt != nil, row.reference != record.reference {
            row.told = [:]
            row.subscriberID = nil
        }
        let own = pairs.first { $0.user == row.user && $0.reference == record.reference }
        row.reference = record.reference
        row.acceptedReference = nil
        row.subscriberID = row.subscriberID ?? own?.subscriberID
        row.admittedAt =
            isPaid ? row.admittedAt ?? own?.admittedAt ?? record.at - Self.admissionWindow : record.at
    }

    /// The subscriber has what was sent for those who had the reference before, and calls for them may
    /// still land. The push that asks doesn't know, so the user is wanted once more.
    private func inherit(_ former: [ModelPair], _ row: inout ModelSubscriber) {
        guard !mistakes.contains(.predecessorForgotten) else { return }
        for pair in former {
            for field in pair.fields where row.told[field] == nil { row.told[field] = .unknown }
            if let until = subscribers[pair.user]?.doubtedUntil {
                row.doubtedUntil = max(row.doubtedUntil ?? .min, until)
            }
        }
        if former.contains(where: { !$0.fields.isEmpty }) { row.wanted += 1 }
    }
}

/// References that are left.
extension ModelStore {
    /// Those who ask for another reference than they have, and deleted users who have one that is asked for.
    private func leaving(for requests: [ModelAdmissionRequest]) -> Set<UserKey> {
        var leaving: Set<UserKey> = []
        for request in requests {
            if let row = subscribers[request.user], row.admittedAt != nil, row.reference != request.reference.text,
                !mistakes.contains(.referenceKeptUntilGranted)
            {
                leaving.insert(request.user)
            }
            for other in subscribers.values
            where other.user != request.user && other.admittedAt != nil && other.standing == .deleted
                && other.folded == request.reference.folded
            {
                leaving.insert(other.user)
            }
        }
        return leaving
    }

    /// Moves pairs to the history; whoever waited for one of the references is due.
    mutating func retire(_ users: Set<UserKey>, now: Int64) {
        var folded: Set<String> = []
        for user in users.sorted() {
            guard var row = subscribers[user], let reference = row.reference, let admittedAt = row.admittedAt else {
                continue
            }
            pairs.removeAll { $0.user == user && $0.reference == reference }
            if !mistakes.contains(.pairsForgotten) {
                pairs.append(
                    ModelPair(
                        user: user, reference: reference, subscriberID: row.subscriberID, admittedAt: admittedAt,
                        fields: Set(row.told.keys)))
            }
            if let left = row.folded { folded.insert(left) }
            row.reference = nil
            row.subscriberID = nil
            row.admittedAt = nil
            row.told = [:]
            subscribers[user] = row
        }
        releaseDuplicates(of: folded, besides: users, now: now)
    }

    /// Makes due whoever waits for one of these references, the first by key.
    mutating func releaseDuplicates(of references: Set<String>, besides users: Set<UserKey>, now: Int64) {
        for folded in references {
            let waiting = subscribers.values.filter {
                $0.folded == folded && $0.standing == .held && $0.dueAt == nil && !users.contains($0.user)
                    && $0.lastErrorCode == HoldReason.duplicateReference.rawValue
            }
            guard let first = waiting.map(\.user).min() else { continue }
            subscribers[first]?.wanted += 1
            subscribers[first]?.dueAt = now
        }
    }

    /// An operator takes the references that the rows of these users have now.
    ///
    /// - Returns: those who have one, and are known.
    @discardableResult
    public mutating func acceptReferences(of users: [UserKey], now: Int64) -> [(user: UserKey, reference: Reference)] {
        let accepted = users.compactMap { user -> (user: UserKey, reference: Reference)? in
            guard subscribers[user] != nil, let reference = Reference(source[user]?.reference) else { return nil }
            return (user, reference)
        }
        for (user, reference) in accepted { subscribers[user]?.acceptedReference = reference }
        resync(.users(accepted.map(\.user)), isForced: false, now: now)
        return accepted
    }
}
