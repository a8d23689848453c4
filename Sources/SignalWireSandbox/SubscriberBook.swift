import FoundationEssentials

/// Every subscriber, findable by its reference and by its resource id, in the order of creation.
///
/// A deleted one leaves an empty slot, so that a place in the list stays valid while pages are read.
struct SubscriberBook: Sendable {
    private var slots: [SandboxSubscriber?] = []
    private var slotByReference: [String: Int] = [:]
    private var slotByResource: [String: Int] = [:]
    /// How many subscribers have each trimmed and case-folded reference.
    private var countByFolded: [String: Int] = [:]

    /// How often a reference was taken although one that is equal when trimmed and case-folded was there.
    private(set) var foldedDuplicates = 0

    /// What an upsert did.
    enum Upsert: Sendable, Hashable {
        case created, updated
    }

    var all: [SandboxSubscriber] { slots.compactMap { $0 } }

    func subscriber(reference: String) -> SandboxSubscriber? {
        slotByReference[reference].flatMap { slots[$0] }
    }

    func subscriber(resourceID: String) -> SandboxSubscriber? {
        slotByResource[resourceID].flatMap { slots[$0] }
    }

    /// Creates the subscriber, or sets the fields given; others stay.
    mutating func upsert(
        _ reference: String, profile: [String: String], at now: Double
    ) -> (subscriber: SandboxSubscriber, upsert: Upsert) {
        guard let slot = slotByReference[reference], var known = slots[slot] else {
            return create(reference, profile: profile, at: now)
        }
        known.change(profile, at: now)
        slots[slot] = known
        return (known, .updated)
    }

    private mutating func create(
        _ reference: String, profile: [String: String], at now: Double
    ) -> (subscriber: SandboxSubscriber, upsert: Upsert) {
        let subscriber = SandboxSubscriber(
            reference: reference, subscriberID: UUID().uuidString.lowercased(),
            resourceID: UUID().uuidString.lowercased(), profile: profile, upserts: 1, number: slots.count + 1,
            createdAt: now, updatedAt: now)
        slotByReference[reference] = slots.count
        slotByResource[subscriber.resourceID] = slots.count
        slots.append(subscriber)
        countUp(reference)
        return (subscriber, .created)
    }

    /// Changes a subscriber by its resource id. `nil` where there is none.
    mutating func update(
        resourceID: String, reference: String, profile: [String: String], at now: Double
    ) -> SandboxSubscriber? {
        guard let slot = slotByResource[resourceID], var known = slots[slot] else { return nil }
        if known.reference != reference {
            forgetReference(known.reference)
            slotByReference[reference] = slot
            countUp(reference)
            known.reference = reference
        }
        known.change(profile, at: now)
        slots[slot] = known
        return known
    }

    /// Deletes a subscriber by its resource id; whether there was one.
    mutating func delete(resourceID: String) -> Bool {
        guard let slot = slotByResource.removeValue(forKey: resourceID), let known = slots[slot] else { return false }
        forgetReference(known.reference)
        slots[slot] = nil
        return true
    }

    /// At most `limit` subscribers from a slot on, and the slot after them; `nil` where nothing follows.
    func page(from start: Int, limit: Int) -> (subscribers: [SandboxSubscriber], next: Int?) {
        var page: [SandboxSubscriber] = []
        var slot = max(0, start)
        while slot < slots.count, page.count < limit {
            if let subscriber = slots[slot] { page.append(subscriber) }
            slot += 1
        }
        let hasMore = slot < slots.count && slots[slot...].contains { $0 != nil }
        return (page, hasMore ? slot : nil)
    }

    /// The slot behind the first `count` subscribers.
    func slot(skipping count: Int) -> Int {
        page(from: 0, limit: count).next ?? (count == 0 ? 0 : slots.count)
    }

    /// Notes one more subscriber with this reference.
    private mutating func countUp(_ reference: String) {
        let folded = Self.folded(reference)
        if countByFolded[folded] != nil { foldedDuplicates += 1 }
        countByFolded[folded, default: 0] += 1
    }

    private mutating func forgetReference(_ reference: String) {
        slotByReference[reference] = nil
        let folded = Self.folded(reference)
        let left = countByFolded[folded, default: 1] - 1
        countByFolded[folded] = left > 0 ? left : nil
    }

    private static func folded(_ reference: String) -> String {
        reference.trimmingCharacters(while: \.isWhitespace).lowercased()
    }
}

extension SandboxSubscriber {
    fileprivate mutating func change(_ fields: [String: String], at now: Double) {
        profile.merge(fields) { _, new in new }
        upserts += 1
        updatedAt = now
    }
}

extension String {
    /// The text without the matching characters at both ends.
    fileprivate func trimmingCharacters(while matches: (Character) -> Bool) -> String {
        let start = drop(while: matches)
        guard let last = start.lastIndex(where: { !matches($0) }) else { return "" }
        return String(start[...last])
    }
}
