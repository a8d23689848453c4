import Postgres
import SyncCore
import SyncStore

/// A resync in the making: whom it means, what it would do, and doing it.
struct Resync {
    /// Whom an operator means.
    enum Selection: Sendable {
        case all
        case users([UserKey])
        case failed
        /// In scope, and meeting an SQL condition.
        case matching(String)

        var isBroad: Bool {
            switch self {
            case .all, .matching: true
            case .users, .failed: false
            }
        }

        /// For the log; a condition may hold values, so it isn't named.
        var name: String {
            switch self {
            case .all: "--all"
            case .users: "--user"
            case .failed: "--failed"
            case .matching: "--where"
            }
        }
    }

    let store: Store
    let selection: Selection
    let isForced: Bool
    /// Whether references that are held as changed are taken.
    var acceptsReferences = false
    let rules: PushRules
    let context: CommandContext

    /// Makes the plan that an agent would make for each user, without taking anybody.
    func preview() async throws -> Preview {
        var forecast = Forecast()
        try await forEachPage { claims in try await foresee(claims, &forecast) }
        return forecast.preview
    }

    /// The plan that an agent would make then.
    private func plan(_ claim: Claim) -> PushPlan {
        var rules = rules
        if acceptsReferences { rules.referenceChange = .new }
        return PushPlan(for: isForced ? claim.doubted : claim, rules: rules)
    }

    /// Asks about the references of a whole page at once.
    private func foresee(_ claims: [Claim], _ forecast: inout Forecast) async throws {
        let plans = claims.map(plan)
        let asking = zip(claims, plans).compactMap { claim, plan in
            plan.reference.map { (user: claim.user, reference: $0) }
        }
        let holdings = try await context.checked { () async throws(StoreError) in try await store.references(asking) }
        let holdingOf = Dictionary(zip(asking.map(\.user), holdings)) { first, _ in first }
        for (claim, plan) in zip(claims, plans) { forecast.count(plan, of: claim, holdingOf[claim.user]) }
    }

    /// Marks everybody who is meant, a page at a time.
    ///
    /// - Returns: how many, how many of them with a new reference, and what becomes of them; `nil` for a broad resync,
    ///   which says so before.
    func mark() async throws -> (count: Int, accepted: Int, preview: Preview?) {
        var (count, accepted) = (0, 0)
        var forecast = Forecast()
        try await forEachPage { claims in
            if !selection.isBroad { try await foresee(claims, &forecast) }
            let users = claims.filter { selection.includes($0) }.map(\.user)
            accepted += try await accept(claims)
            count += try await context.checked { () async throws(StoreError) in
                try await store.resync(users, isForced: isForced).count
            }
        }
        let marked = count
        try await context.checked { () async throws(StoreError) in
            try await store.announceResync(of: marked, isForced: isForced, selection: selection.name)
        }
        return (count, accepted, selection.isBroad ? nil : forecast.preview)
    }

    /// Takes the references that are held as changed, where that is asked for.
    private func accept(_ claims: [Claim]) async throws -> Int {
        guard acceptsReferences else { return 0 }
        let held = claims.compactMap { claim in
            claim.changedReference(by: rules).map { (user: claim.user, reference: $0) }
        }
        guard !held.isEmpty else { return 0 }
        return try await context.checked { () async throws(StoreError) in
            try await store.acceptReferences(held).count
        }
    }

    /// Shows how far it is until nobody of them is due.
    func wait(for count: Int, since start: String, in session: Session) async throws {
        let bar = ProgressBar(total: count)
        var users: [UserKey]?
        if case .users(let named) = selection { users = named }
        var warned: String?
        while true {
            let named = users
            let progress = try await context.checked { () async throws(StoreError) in
                try await store.progress(of: named, since: start)
            }
            bar.draw(done: count - progress.waiting)
            if progress.waiting == 0 { return try finish(progress, count, bar) }
            warned = try await warn(session, unless: warned)
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func finish(_ progress: ResyncProgress, _ count: Int, _ bar: ProgressBar) throws {
        bar.end()
        Terminal.out("done: \(counted(count - progress.refused, "user")), \(progress.refused) refused\n")
        guard progress.refused == 0 else {
            throw Failure(
                .data, "\(counted(progress.refused, "user")) \(progress.refused == 1 ? "was" : "were") refused.",
                hint: "subscriber-sync show KEY says why; SELECT * FROM subscriber_sync.subscriber "
                    + "WHERE status IN ('rejected', 'held') lists them. subscriber-sync approve pushes those that a brake "
                    + "holds.")
        }
    }

    /// Says once why nothing moves, if that is so.
    private func warn(_ session: Session, unless warned: String?) async throws -> String? {
        let status = try await context.checked { () async throws(StoreError) in try await FleetStatus.read(in: session)
        }
        guard let concern = status.concern, status.pause != nil || status.agents == 0, concern != warned else {
            return warned
        }
        Terminal.err("\nsubscriber-sync: still waiting: \(concern)\n")
        return concern
    }
}

extension Resync {
    private func forEachPage(_ body: ([Claim]) async throws -> Void) async throws {
        switch selection {
        case .users(let users): try await body(try await named(users))
        case .failed: try await eachFailed(body)
        case .all: try await eachPage(filter: nil, body)
        case .matching(let condition): try await eachPage(filter: condition, body)
        }
    }

    private func named(_ users: [UserKey]) async throws -> [Claim] {
        var claims: [Claim] = []
        for user in users {
            let claim = try await context.checked { () async throws(StoreError) in try await store.look(at: user) }
            if let claim { claims.append(claim) }
        }
        return claims
    }

    private func eachFailed(_ body: ([Claim]) async throws -> Void) async throws {
        var last: UserKey?
        while true {
            let after = last
            let users = try await context.checked { () async throws(StoreError) in
                try await store.failed(after: after, limit: Store.resyncPage)
            }
            guard let end = users.last else { return }
            try await body(try await named(users))
            last = end
        }
    }

    private func eachPage(filter: String?, _ body: ([Claim]) async throws -> Void) async throws {
        var last: UserKey?
        var seen = 0
        let bar = try await countingBar(filter: filter)
        defer { if seen >= Store.resyncPage { bar?.end() } }
        while true {
            let after = last
            let claims: [Claim]
            do {
                claims = try await store.page(after: after, limit: Store.resyncPage, filter: filter)
            } catch {
                guard filter != nil, error.code == .mismatch else { throw Failure(error) }
                throw Failure(.usage, "--where: \(error.message)", hint: error.hint)
            }
            guard let end = claims.last?.user else { return }
            try await body(claims)
            last = end
            seen += claims.count
            if claims.count == Store.resyncPage { bar?.draw(done: seen) }
        }
    }

    /// How many there are is known of everybody only; for a condition, the database would have to count.
    private func countingBar(filter: String?) async throws -> ProgressBar? {
        guard filter == nil else { return nil }
        let known = try await context.checked { () async throws(StoreError) in try await store.estimatedUsers() }
        return ProgressBar(total: known)
    }
}

extension Resync.Selection {
    /// Users by their keys as somebody wrote them, each once.
    ///
    /// - Throws: an error that names who is missing: nothing is marked by halves.
    static func naming(
        _ keys: [String], in store: Store, _ context: CommandContext
    ) async throws(Failure) -> Resync.Selection {
        var users: [UserKey] = []
        var missing: [String] = []
        for key in keys {
            let user = try await context.checked { () async throws(StoreError) in try await store.canonicalKey(of: key)
            }
            guard let user else {
                missing.append(key)
                continue
            }
            if !users.contains(user) { users.append(user) }
        }
        guard missing.isEmpty else {
            throw Failure(
                .noInput, "There is no user \(missing.joined(separator: ", ")).",
                hint: "Keys are what \(context.keyColumn) holds. Nobody was marked.")
        }
        return .users(users)
    }

    /// Users who meet a condition, once the database has understood it.
    static func meeting(
        _ condition: String, in store: Store, _ context: CommandContext
    ) async throws(Failure) -> Resync.Selection {
        do {
            try await store.check(filter: condition, named: "--where")
        } catch {
            throw error.code == .mismatch ? Failure(.usage, error.message, hint: error.hint) : Failure(error)
        }
        return .matching(condition)
    }

    /// A broad resync leaves users alone who are out of scope; a named one looks at whom it was told to.
    fileprivate func includes(_ claim: Claim) -> Bool {
        switch (self, claim.source) {
        case (.all, .outOfScope), (.matching, .outOfScope): false
        case (.all, _), (.matching, _), (.users, _), (.failed, _): true
        }
    }
}

extension PushPlan {
    /// The reference that has to be nobody else's, where the plan needs admission.
    fileprivate var reference: Reference? {
        switch self {
        case .push(let push): push.needsAdmission ? push.reference : nil
        case .nothing, .hold, .forget: nil
        }
    }
}

extension Push {
    /// Whether this may create a subscriber, rather than return to one of the user's own.
    func mayCreate(for claim: Claim) -> Bool {
        needsAdmission && !claim.earlier.contains(reference)
            && (claim.subscriber == nil || claim.admitted != reference)
    }
}

extension Claim {
    /// The reference of the row, if the user is held because of it.
    func changedReference(by rules: PushRules) -> Reference? {
        guard case .hold(.referenceChanged) = PushPlan(for: self, rules: rules),
            case .present(let reference, _, _) = source
        else { return nil }
        return reference
    }

    /// As `--force` makes it.
    fileprivate var doubted: Claim {
        Claim(
            user: user, lease: lease, version: version, attempt: attempt, standing: standing, source: source,
            admitted: admitted, subscriber: subscriber, told: told, isDoubted: true, isResync: isResync,
            earlier: earlier, accepted: accepted)
    }
}
