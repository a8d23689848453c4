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

    /// What a resync would do, counted.
    struct Preview: Sendable, Hashable {
        var created = 0
        var updated = 0
        var skipped = 0
        var held = 0
        var outOfScope = 0

        var text: String {
            Table.pairs([
                ("create", "\(created)"), ("update", "\(updated)"), ("skip (nothing changed)", "\(skipped)"),
                ("hold", "\(held)"), ("out of scope", "\(outOfScope)"),
            ])
        }

        mutating func count(_ plan: PushPlan, of claim: Claim) {
            switch plan {
            case .nothing: skipped += 1
            case .hold: held += 1
            case .forget: outOfScope += 1
            case .push(let push):
                if push.needsAdmission, claim.subscriber == nil || claim.admitted != push.reference {
                    created += 1
                } else {
                    updated += 1
                }
            }
        }
    }

    let store: Store
    let selection: Selection
    let isForced: Bool
    let rules: PushRules
    let context: CommandContext

    /// Makes the plan that an agent would make for each user, without taking anybody.
    func preview() async throws -> Preview {
        var preview = Preview()
        try await forEachPage { claims in
            for claim in claims {
                let claim = isForced ? claim.doubted : claim
                preview.count(PushPlan(for: claim, rules: rules), of: claim)
            }
        }
        return preview
    }

    /// Marks everybody who is meant, a page at a time.
    ///
    /// - Returns: how many.
    func mark() async throws -> Int {
        var count = 0
        try await forEachPage { claims in
            let users = claims.filter { selection.includes($0) }.map(\.user)
            count += try await context.checked { () async throws(StoreError) in
                try await store.resync(users, isForced: isForced).count
            }
        }
        let marked = count
        try await context.checked { () async throws(StoreError) in
            try await store.announceResync(of: marked, isForced: isForced, selection: selection.name)
        }
        return count
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
        Terminal.out("done: \(count - progress.refused) users, \(progress.refused) refused\n")
        guard progress.refused == 0 else {
            throw Failure(
                .data, "\(progress.refused) users were refused.",
                hint: "subscriber-sync show KEY says why; SELECT * FROM subscriber_sync.subscriber "
                    + "WHERE status IN ('rejected', 'held') lists them.")
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

    /// All of them, or an error that names who is missing: nothing is marked by halves.
    private func named(_ users: [UserKey]) async throws -> [Claim] {
        var claims: [Claim] = []
        var missing: [UserKey] = []
        for user in users {
            let claim = try await context.checked { () async throws(StoreError) in try await store.look(at: user) }
            if let claim { claims.append(claim) } else { missing.append(user) }
        }
        guard missing.isEmpty else {
            throw Failure(
                .noInput, "There is no user \(missing.map(\.text).joined(separator: ", ")).",
                hint: "Keys are what \(context.keyColumn) holds. Nobody was marked.")
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
        while true {
            let after = last
            let claims: [Claim]
            do {
                claims = try await store.page(after: after, limit: Store.resyncPage, filter: filter)
            } catch {
                throw filter == nil ? Failure(error) : Failure(.usage, "--where: \(error.message)", hint: error.hint)
            }
            guard let end = claims.last?.user else { return }
            try await body(claims)
            last = end
        }
    }
}

extension Resync.Selection {
    /// A broad resync leaves users alone who are out of scope; a named one looks at whom it was told to.
    fileprivate func includes(_ claim: Claim) -> Bool {
        switch (self, claim.source) {
        case (.all, .outOfScope), (.matching, .outOfScope): false
        case (.all, _), (.matching, _), (.users, _), (.failed, _): true
        }
    }
}

extension Claim {
    /// As `--force` makes it.
    fileprivate var doubted: Claim {
        Claim(
            user: user, lease: lease, version: version, attempt: attempt, standing: standing, source: source,
            admitted: admitted, subscriber: subscriber, told: told, isDoubted: true)
    }
}
