/// What the sandbox remembers: subscribers, faults and figures. A plain value; `SandboxModel` locks it.
struct SandboxMemory: Sendable {
    var book = SubscriberBook()
    var plan: FaultPlan
    /// The figures, but for those that the book keeps itself.
    var counted = SandboxStatistics()
    /// Calls being worked on, by reference; only those that write.
    private var busy: [String: Int] = [:]

    init(plan: FaultPlan) {
        self.plan = plan
    }

    var figures: SandboxStatistics {
        var figures = counted
        figures.foldedDuplicates = book.foldedDuplicates
        return figures
    }

    /// Forgets subscribers and figures. Requests that are being worked on stay counted as such.
    mutating func forgetEverything() {
        var fresh = SandboxStatistics()
        fresh.inFlight = counted.inFlight
        counted = fresh
        book = SubscriberBook()
    }

    /// Creates or changes a subscriber and counts which it was.
    mutating func upsert(
        _ reference: String, _ profile: [String: String], at now: Double
    ) -> SandboxSubscriber {
        let (subscriber, upsert) = book.upsert(reference, profile: profile, at: now)
        switch upsert {
        case .created: counted.created += 1
        case .updated: counted.updated += 1
        }
        return subscriber
    }

    mutating func enter(_ reference: String?) {
        counted.inFlight += 1
        counted.maxConcurrent = max(counted.maxConcurrent, counted.inFlight)
        guard let reference else { return }
        if busy[reference] != nil { counted.overlaps += 1 }
        busy[reference, default: 0] += 1
    }

    mutating func leave(_ reference: String?) {
        counted.inFlight -= 1
        guard let reference, let calls = busy[reference] else { return }
        busy[reference] = calls > 1 ? calls - 1 : nil
    }
}

extension SubscriberBook {
    /// Whom a call is about.
    func reference(of call: Call) -> String? {
        switch call {
        case .mintToken(let request): request.reference
        case .create(let request), .update(_, let request): request.email
        case .read(let id), .delete(let id): subscriber(resourceID: id)?.reference
        case .list, .refreshToken: nil
        }
    }
}

extension Call {
    /// Whether two of it at a time for one reference would be a mistake of the caller.
    var isWrite: Bool {
        switch self {
        case .mintToken, .create, .update, .delete: true
        case .refreshToken, .list, .read: false
        }
    }
}
