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
        var askedBefore: Set<String> = []
        var free = limit - admittedCount(now: now)
        for request in requests.sorted(by: { $0.user < $1.user }) {
            guard var row = subscribers[request.user], row.lease == request.lease.token else {
                answers.append((request.user, .leaseLost))
                continue
            }
            let isFirst = askedBefore.insert(request.reference.folded).inserted
            let isPaid = isPaid(row, request, now: now)
            if !isFirst || isTaken(request) {
                answers.append((request.user, .duplicate))
            } else if limit >= 0, !isPaid, free <= 0 {
                answers.append((request.user, .overLimit))
            } else {
                if !isPaid { free -= 1 }
                record(request, in: &row, isPaid: isPaid, now: now)
                subscribers[request.user] = row
                answers.append((request.user, .admitted))
            }
        }
        return answers
    }

    /// Users admitted within the window that ends now.
    func admittedCount(now: Int64) -> Int {
        subscribers.values.count { ($0.admittedAt ?? .min) > now - Self.admissionWindow }
    }

    /// Already paid for: the subscriber is there, the call was counted and then interrupted, or a deleted
    /// user leaves the subscriber behind.
    private func isPaid(_ row: ModelSubscriber, _ request: ModelAdmissionRequest, now: Int64) -> Bool {
        if sharing(request).contains(where: {
            $0.standing == .deleted && $0.subscriberID != nil && $0.reference == request.reference.text
        }) {
            return true
        }
        guard let admittedAt = row.admittedAt, row.reference == request.reference.text else { return false }
        return row.subscriberID != nil || admittedAt > now - Self.admissionWindow
    }

    /// Whether another user who isn't gone has the reference.
    private func isTaken(_ request: ModelAdmissionRequest) -> Bool {
        sharing(request).contains { $0.standing != .deleted }
    }

    /// The other users that were ever admitted with the reference.
    private func sharing(_ request: ModelAdmissionRequest) -> [ModelSubscriber] {
        subscribers.values.filter {
            $0.user != request.user && $0.admittedAt != nil
                && Reference($0.reference)?.folded == request.reference.folded
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
        if !mistakes.contains(.predecessorForgotten) { inherit(from: sharing(request), &row) }
    }

    /// Another reference is another subscriber: nothing of the old one holds.
    func write(_ record: AdmissionRecord, in row: inout ModelSubscriber, isPaid: Bool) {
        if row.admittedAt != nil, row.reference != record.reference {
            row.told = [:]
            row.subscriberID = nil
        }
        row.reference = record.reference
        row.admittedAt = isPaid ? row.admittedAt ?? record.at - Self.admissionWindow : record.at
    }

    /// The subscriber has what was sent for those who had the reference before, and calls for them may
    /// still land. The push that asks doesn't know, so the user is wanted once more.
    private func inherit(from predecessors: [ModelSubscriber], _ row: inout ModelSubscriber) {
        for predecessor in predecessors {
            for field in predecessor.told.keys where row.told[field] == nil { row.told[field] = .unknown }
            if let until = predecessor.doubtedUntil { row.doubtedUntil = max(row.doubtedUntil ?? .min, until) }
        }
        if predecessors.contains(where: { !$0.told.isEmpty }) { row.wanted += 1 }
    }
}
