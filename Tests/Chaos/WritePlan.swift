import SyncCore

/// Draws the application's writes, one after the other, and remembers what the table would be if all succeeded.
///
/// Users are of three kinds. *Steady* ones keep their reference for life, so in the end they must be in sync, nothing
/// else. *Moving* ones change it: they may come to rest as held. *Refused* ones are steady, and what the API is
/// made to refuse now and then.
struct WritePlan {
    struct User {
        let home: String
        var row: UserRow
        var isMoving: Bool
        var isInScope = true
    }

    private var random: SeededRandom
    private(set) var identities = Identities()
    private var users: [Int: User] = [:]
    /// Users whose rows are gone, and who may return.
    private var gone: [Int: User] = [:]
    private var lastKey = 0
    private var lastReference = 0
    private let kinds: [Write.Kind]

    init(seed: UInt64, isCalm: Bool) {
        random = SeededRandom(seed: seed)
        let upheaval: [Write.Kind] = [
            .softDelete, .softDelete, .undelete, .undelete, .hardDelete, .deleteAndReinsert, .reinsert, .reinsert,
            .changeKey, .changeReference, .changeReference, .restoreReference, .swapReferences, .blankReference,
            .takeReference, .rolledBack, .savepoint, .longOpen, .neverInScope, .insert, .insert,
        ]
        let updates: [Write.Kind] = [
            .updateMapped, .updateMapped, .updateMapped, .updateMapped, .updateMapped, .updateMapped, .updateUnmapped,
            .thereAndBack, .thereAndBack, .clear,
        ]
        kinds = isCalm ? updates + updates + updates + upheaval : updates + upheaval
    }

    /// The rows that are there from the beginning.
    mutating func populate(_ count: Int) -> Write {
        let rows = (0..<count).map { _ in "(\(newUser()))" }.joined(separator: ", ")
        return Write(kind: .insert, sql: "INSERT INTO public.users (id, \(UserRow.columns)) VALUES \(rows)")
    }

    mutating func next() -> Write { write(pick(kinds, &random)) }

    /// A bulk update of a part of the table: every user with an even key, or with an odd one.
    mutating func bulk(_ label: String) -> Write {
        let rest = Int.random(in: 0...1, using: &random)
        return Write(
            kind: .bulk, sql: "UPDATE public.users SET title = 'Plantedtitle \(label)' WHERE id % 2 = \(rest)")
    }

    /// Fresh moving users, and the write that then gives each another reference.
    mutating func orphans(_ count: Int) -> (insert: Write, move: Write) {
        let first = lastKey + 1
        let rows = (0..<count).map { _ in "(\(newUser(isMoving: true)))" }.joined(separator: ", ")
        let moves = (first...lastKey).map { key in
            let email = freshReference("moving")
            identities.met(key, email)
            users[key]?.row.email = email
            return "UPDATE public.users SET email = \(literal(email)) WHERE id = \(key)"
        }
        return (
            Write(kind: .insert, sql: "INSERT INTO public.users (id, \(UserRow.columns)) VALUES \(rows)"),
            Write(kind: .changeReference, sql: moves.joined(separator: "; "))
        )
    }

    private mutating func write(_ kind: Write.Kind) -> Write {
        switch kind {
        case .insert, .updateMapped, .updateUnmapped, .thereAndBack, .clear, .bulk, .neverInScope: change(kind)
        case .softDelete, .undelete, .hardDelete, .deleteAndReinsert, .reinsert, .changeKey: comeAndGo(kind)
        case .changeReference, .restoreReference, .swapReferences, .blankReference, .takeReference: move(kind)
        case .rolledBack, .savepoint, .longOpen: inTransaction(kind)
        }
    }

    // MARK: Rows that stay

    private mutating func change(_ kind: Write.Kind) -> Write {
        let key = someone { _ in true }
        switch kind {
        case .insert: return insertion()
        case .updateUnmapped:
            return Write(kind: kind, sql: "UPDATE public.users SET notes = 'n\(draw(1000))' WHERE id = \(key)")
        case .thereAndBack: return thereAndBack(key)
        case .clear:
            let blank = pick(["NULL", "''", "'  '"], &random)
            let column = pick(["title", "first_name", "time_zone"], &random)
            return Write(kind: kind, sql: "UPDATE public.users SET \(column) = \(blank) WHERE id = \(key)")
        case .neverInScope:
            lastKey += 1
            let email = freshReference("never")
            identities.ghost(email)
            let row = UserRow(email: email, firstName: firstName(), title: title(), timeZone: timeZone())
            return Write(
                kind: kind,
                sql:
                    "INSERT INTO public.users (id, \(UserRow.columns), deleted_at) VALUES (\(lastKey), \(row.values), now())"
            )
        default: return Write(kind: .updateMapped, sql: update(key))
        }
    }

    private mutating func insertion() -> Write {
        let row = newUser()
        return Write(kind: .insert, sql: "INSERT INTO public.users (id, \(UserRow.columns)) VALUES (\(row))")
    }

    /// A → B → A, as an optimistic comparison overlooks it: in one transaction, or in three.
    private mutating func thereAndBack(_ key: Int) -> Write {
        let (one, other) = (title(), title())
        let steps = [one, other, one].map { "UPDATE public.users SET title = \(literal($0)) WHERE id = \(key)" }
        let pause = pick(["", "SELECT pg_sleep(0.03); "], &random)
        let isOne = chance(0.3)
        let sql =
            isOne
            ? "BEGIN; \(steps.joined(separator: "; ")); COMMIT"
            : steps.map { "BEGIN; \($0); COMMIT" }.joined(separator: "; \(pause)")
        return Write(kind: .thereAndBack, sql: sql)
    }

    private mutating func update(_ key: Int) -> String {
        let assignment =
            switch draw(4) {
            case 0: "first_name = \(literal(firstName()))"
            case 1: "time_zone = \(literal(timeZone()))"
            case 2: "title = \(literal(title())), first_name = \(literal(firstName()))"
            default: "title = \(literal(title()))"
            }
        return "UPDATE public.users SET \(assignment) WHERE id = \(key)"
    }

    // MARK: Rows that come and go

    private mutating func comeAndGo(_ kind: Write.Kind) -> Write {
        switch kind {
        case .softDelete:
            let key = someone { $0.isInScope }
            users[key]?.isInScope = false
            return Write(kind: kind, sql: "UPDATE public.users SET deleted_at = now() WHERE id = \(key)")
        case .undelete:
            let key = someone { !$0.isInScope }
            users[key]?.isInScope = true
            return Write(
                kind: kind, sql: "UPDATE public.users SET deleted_at = NULL, \(assignment()) WHERE id = \(key)")
        case .hardDelete:
            guard users.count > 4 else { return Write(kind: .updateMapped, sql: update(someone { _ in true })) }
            let key = someone { _ in true }
            gone[key] = users.removeValue(forKey: key)
            return Write(kind: kind, sql: "DELETE FROM public.users WHERE id = \(key)")
        case .reinsert: return reinsertion()
        case .changeKey:
            let key = someone { _ in true }
            lastKey += 1
            guard let user = users.removeValue(forKey: key) else { return insertion() }
            users[lastKey] = user
            identities.met(lastKey, user.row.email)
            return Write(kind: kind, sql: "UPDATE public.users SET id = \(lastKey), \(assignment()) WHERE id = \(key)")
        default:
            let key = someone { _ in true }
            let row = refilled(users[key])
            let sql = "BEGIN; DELETE FROM public.users WHERE id = \(key); \(insert(key, row)); COMMIT"
            users[key]?.isInScope = true
            return Write(kind: .deleteAndReinsert, sql: sql)
        }
    }

    private mutating func assignment() -> String { "title = \(literal(title()))" }

    /// Somebody who was deleted returns with the reference of before, under the same key or another.
    private mutating func reinsertion() -> Write {
        guard let key = gone.keys.sorted().randomElement(using: &random), var user = gone.removeValue(forKey: key)
        else { return insertion() }
        user.row = refilled(user)
        user.isInScope = true
        var newKey = key
        if chance(0.3) {
            lastKey += 1
            newKey = lastKey
        }
        identities.met(newKey, user.row.email)
        users[newKey] = user
        return Write(kind: .reinsert, sql: insert(newKey, user.row))
    }

    private func insert(_ key: Int, _ row: UserRow) -> String {
        "INSERT INTO public.users (id, \(UserRow.columns)) VALUES (\(key), \(row.values)) ON CONFLICT DO NOTHING"
    }

    private mutating func refilled(_ user: User?) -> UserRow {
        UserRow(
            email: user?.row.email ?? freshReference("steady"), firstName: firstName(), title: title(),
            timeZone: timeZone())
    }

    // MARK: References that move

    private mutating func move(_ kind: Write.Kind) -> Write {
        let key = someone { $0.isMoving }
        guard let user = users[key], user.isMoving else { return insertion(isMoving: true) }
        switch kind {
        case .restoreReference: return setReference(of: key, to: user.home, kind)
        case .blankReference:
            let blank = pick(["NULL", "''", "'  '"], &random)
            return Write(kind: kind, sql: "UPDATE public.users SET email = \(blank) WHERE id = \(key)")
        case .takeReference, .swapReferences:
            let other = someone { $0.isMoving }
            guard let theirs = users[other], other != key else { return setReference(of: key, to: user.home, kind) }
            guard kind == .swapReferences else { return setReference(of: key, to: theirs.row.email, kind) }
            _ = setReference(of: other, to: user.row.email, kind)
            _ = setReference(of: key, to: theirs.row.email, kind)
            let (one, two) = (literal(theirs.row.email), literal(user.row.email))
            return Write(
                kind: kind,
                sql:
                    "UPDATE public.users SET email = CASE id WHEN \(key) THEN \(one) ELSE \(two) END WHERE id IN (\(key), \(other))"
            )
        default: return setReference(of: key, to: freshReference("moving"), .changeReference)
        }
    }

    private mutating func insertion(isMoving: Bool) -> Write {
        let row = newUser(isMoving: isMoving)
        return Write(kind: .insert, sql: "INSERT INTO public.users (id, \(UserRow.columns)) VALUES (\(row))")
    }

    private mutating func setReference(of key: Int, to email: String, _ kind: Write.Kind) -> Write {
        identities.met(key, email)
        users[key]?.row.email = email
        return Write(
            kind: kind, sql: "UPDATE public.users SET email = \(literal(email)), \(assignment()) WHERE id = \(key)")
    }

    // MARK: Transactions

    private mutating func inTransaction(_ kind: Write.Kind) -> Write {
        switch kind {
        case .rolledBack:
            return Write(kind: kind, sql: "BEGIN; \(ghostInsert()); \(update(someone { _ in true })); ROLLBACK")
        case .savepoint:
            let (one, other) = (update(someone { _ in true }), update(someone { _ in true }))
            let inner = "SAVEPOINT s; \(other); \(ghostInsert()); ROLLBACK TO SAVEPOINT s"
            return Write(kind: kind, sql: "BEGIN; \(one); \(inner); RELEASE SAVEPOINT s; COMMIT")
        default:
            let seconds = Double(Int.random(in: 3...20, using: &random)) / 10
            // One row only: who waits while holding another's could be part of a deadlock that isn't ours.
            return Write(
                kind: .longOpen, sql: "BEGIN; \(update(someone { _ in true })); SELECT pg_sleep(\(seconds)); COMMIT")
        }
    }

    private mutating func ghostInsert() -> String {
        let email = freshReference("ghost")
        identities.ghost(email)
        let row = UserRow(email: email, firstName: firstName(), title: title(), timeZone: timeZone())
        lastKey += 1
        return "INSERT INTO public.users (id, \(UserRow.columns)) VALUES (\(lastKey), \(row.values))"
    }

    // MARK: Values

    private mutating func newUser(isMoving: Bool? = nil) -> String {
        lastKey += 1
        let isMoving = isMoving ?? chance(0.25)
        let isRefused = !isMoving && chance(0.1)
        let email = freshReference(isMoving ? "moving" : isRefused ? "refused" : "steady")
        let row = UserRow(email: email, firstName: firstName(), title: title(), timeZone: timeZone())
        users[lastKey] = User(home: email, row: row, isMoving: isMoving)
        identities.met(lastKey, email)
        return "\(lastKey), \(row.values)"
    }

    private mutating func freshReference(_ kind: String) -> String {
        lastReference += 1
        return "\(kind)\(lastReference)@planted.example"
    }

    /// Few values, so that they come back.
    private mutating func title() -> String? {
        pick(["Plantedtitle A", "Plantedtitle B", "Plantedtitle C", " Plantedtitle B ", nil], &random)
    }

    private mutating func firstName() -> String? {
        pick(["Plantedname \(draw(3))", "Plantedname Ü\(draw(3))", "Plantedname \"q\" \\ '", nil], &random)
    }

    private mutating func timeZone() -> String? {
        pick(["Europe/Berlin", "America/New_York", "Asia/Tokyo", nil], &random)
    }

    /// A key of the table that fits; any key where nobody does.
    private mutating func someone(who fits: (User) -> Bool) -> Int {
        let keys = users.filter { fits($0.value) }.keys.sorted()
        return keys.randomElement(using: &random) ?? users.keys.sorted().randomElement(using: &random) ?? 0
    }

    private mutating func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
    private mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < probability
    }
}

/// One of the values, each as likely.
func pick<Value>(_ values: [Value], _ random: inout SeededRandom) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
}
