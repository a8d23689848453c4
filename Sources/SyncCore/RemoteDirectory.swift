/// SignalWire's whole list, made small: some 270 bytes a subscriber, whatever their profiles hold.
///
/// It is filled page by page, and then asked for the subscriber of one user after the other. References are compared
/// as admission compares them: trimmed and without case.
public struct RemoteDirectory: Sendable {
    private struct Entry {
        let id: PackedUUID
        let resource: PackedUUID?
        /// Hash of the folded reference; `nil` where no call could name it.
        let folded: Int?
        /// Whether a user of ours is known by its id.
        var isKnown = false
    }

    /// Whom one folded reference leads to.
    private struct Meeting {
        let first: Int32
        /// Subscribers that have it.
        var subscribers: Int32 = 1
        /// Users that have it.
        var users: Int32 = 0
    }

    private var entries: [Entry] = []
    /// Those of all entries, one behind the other: a list for each would cost more than what is in it.
    private var hashes: [UInt64] = []
    private var places: [PackedUUID: Int32] = [:]
    private var meetings: [Int: Meeting] = [:]
    /// How a reference is spelled, where it isn't in small letters.
    private var spellings: [Int32: String] = [:]
    /// Entries of the list in which no subscriber could be found.
    public private(set) var unreadable = 0

    public init() {}

    public var count: Int { entries.count }

    /// Adds one of the list. Pages may overlap while others come and go, so one that was there already is left alone.
    public mutating func add(_ remote: RemoteSubscriber) {
        let id = PackedUUID(remote.id)
        guard places[id] == nil else { return }
        let place = Int32(clamping: entries.count)
        let folded = remote.reference?.folded
        entries.append(Entry(id: id, resource: remote.resource?.uuid, folded: folded?.hashValue))
        hashes += FieldHashes(remote.fields).numbers
        places[id] = place
        guard let folded, let reference = remote.reference else { return }
        if reference.text != folded { spellings[place] = reference.text }
        if meetings[folded.hashValue] == nil {
            meetings[folded.hashValue] = Meeting(first: place)
        } else {
            meetings[folded.hashValue]?.subscribers += 1
        }
    }

    public mutating func addUnreadable(_ count: Int) { unreadable += count }

    /// Notes that a user has this reference, and perhaps a subscriber that is known already. All are noted before
    /// anybody is matched.
    public mutating func note(_ reference: Reference?, _ subscriber: SubscriberID?) {
        if let reference { meetings[reference.folded.hashValue]?.users += 1 }
        if let place = subscriber.flatMap({ places[PackedUUID($0)] }) { entries[Int(place)].isKnown = true }
    }

    /// What a reference leads to.
    public enum Match: Sendable {
        case nobody
        case one(RemoteRecord)
        /// Several subscribers, or several users, have it; or the one that has it is known to be another user's.
        case several
    }

    public func match(_ reference: Reference) -> Match {
        guard let meeting = meetings[reference.folded.hashValue] else { return .nobody }
        guard meeting.subscribers == 1, meeting.users <= 1, !entries[Int(meeting.first)].isKnown else {
            return .several
        }
        return .one(record(at: meeting.first, folded: reference.folded))
    }

    /// The subscriber with an id, if the list has it.
    ///
    /// - Parameter admitted: the reference it is expected to have; another one makes the record's `nil`.
    public func record(of id: SubscriberID, expecting admitted: Reference) -> RemoteRecord? {
        guard let place = places[PackedUUID(id)] else { return nil }
        return record(at: place, folded: admitted.folded)
    }

    private func record(at place: Int32, folded: String) -> RemoteRecord {
        let entry = entries[Int(place)]
        let start = Int(place) * FieldHashes.count
        let isIt = entry.folded == folded.hashValue
        return RemoteRecord(
            id: SubscriberID(entry.id), reference: isIt ? Reference(known: spellings[place] ?? folded) : nil,
            hashes: FieldHashes(hashes[start..<start + FieldHashes.count]))
    }

    /// References that several subscribers have.
    public var duplicates: Int { meetings.values.count { $0.subscribers > 1 } }

    /// Subscribers that belong to no user that was noted: how many, and the resource ids of the first few.
    public func unclaimed(sample: Int) -> (count: Int, sample: [ResourceID]) {
        var count = 0
        var resources: [ResourceID] = []
        for entry in entries where !entry.isKnown && !isNoted(entry) {
            count += 1
            if resources.count < sample, let resource = entry.resource { resources.append(ResourceID(resource)) }
        }
        return (count, resources)
    }

    private func isNoted(_ entry: Entry) -> Bool {
        entry.folded.flatMap { meetings[$0] }.map { $0.users > 0 } ?? false
    }
}

extension SubscriberID {
    fileprivate init(_ uuid: PackedUUID) { self.init(checked: uuid.text) }
}
