import SyncCore

/// What the application does to its table.
extension Simulation {
    /// Every key that can be in the table.
    var allUsers: [UserKey] { (0..<settings.users).map { UserKey("u\($0)") } }

    /// Everybody who can be there is there from the beginning, so that a share of them is something.
    mutating func writeFirst() {
        for user in allUsers {
            usersEverWritten.insert(user)
            write(user, freshRow(of: user))
        }
    }

    mutating func writeSomething() {
        for _ in 0..<(chance(0.2, &random) ? 4 : 1) { writeOnce() }
        notifyAll()
    }

    /// What an agent is about to send is old before it is sent.
    mutating func overtake(_ user: UserKey) {
        guard now < settings.lastWrite, var row = store.source[user] else { return }
        let field = pick(settings.mapped, &random)
        row.fields[field] = value(of: field)
        write(user, row)
        if settings.referencesMove, chance(0.3, &random) { handOver(row.reference, of: user) }
        notifyAll()
    }

    /// A user goes, and another comes with the same reference.
    private mutating func handOver(_ reference: String?, of user: UserKey) {
        let other = allUsers.first { store.source[$0] == nil } ?? pick(allUsers, &random)
        guard other != user else { return }
        usersEverWritten.insert(other)
        var theirs = freshRow(of: other)
        theirs.reference = reference
        write(user, nil)
        write(other, theirs)
    }

    private mutating func writeOnce() {
        let user = pick(allUsers, &random)
        usersEverWritten.insert(user)
        guard var row = store.source[user] else {
            return write(user, freshRow(of: user))
        }
        guard chance(settings.upheaval, &random) else {
            let field = pick(settings.mapped, &random)
            row.fields[field] = value(of: field)
            return write(user, row)
        }
        switch Int.random(in: 0...4, using: &random) {
        case 0, 1: write(user, nil)
        case 2: rekey(user)
        case 3:
            row.inScope.toggle()
            write(user, row)
        default: changeReference(of: user, row)
        }
    }

    private mutating func write(_ user: UserKey, _ row: ModelSourceRow?) {
        note("application: \(user) \(row?.traced ?? "deleted")")
        store.write(user, row, now: databaseNow)
    }

    private mutating func rekey(_ user: UserKey) {
        guard let other = allUsers.first(where: { store.source[$0] == nil }) else { return }
        note("application: \(user) becomes \(other)")
        usersEverWritten.insert(other)
        store.rekey(user, to: other, now: databaseNow)
        guard !settings.referencesMove, var row = store.source[other] else { return }
        row.reference = "r\(number())"
        write(other, row)
    }

    private mutating func changeReference(of user: UserKey, _ row: ModelSourceRow) {
        var row = row
        guard settings.referencesMove else {
            row.reference = "r\(number())"
            return write(user, row)
        }
        let other = pick(allUsers, &random)
        switch Int.random(in: 0...4, using: &random) {
        case 0: row.reference = pick([nil, "  ", ""], &random)
        case 1: row.reference = store.source[other]?.reference?.uppercased()
        case 2:
            guard var theirs = store.source[other], other != user else { return }
            swap(&row.reference, &theirs.reference)
            write(other, theirs)
        // Few of them, so that a chain of renames comes back to where it was.
        case 3: row.reference = "\(user.text)-\(Int.random(in: 1...2, using: &random))@example.org"
        default: row.reference = ownReference(of: user)
        }
        write(user, row)
    }

    private mutating func freshRow(of user: UserKey) -> ModelSourceRow {
        var fields: [ProfileField: String?] = [:]
        for field in settings.mapped { fields[field] = value(of: field) }
        let isFresh = !settings.referencesMove
        // Now and then somebody comes back under another key with the reference of before.
        let other = chance(0.5, &random) ? pick(allUsers, &random) : user
        return ModelSourceRow(
            reference: isFresh ? "r\(number())" : ownReference(of: other), fields: fields, inScope: chance(0.9, &random)
        )
    }

    private func ownReference(of user: UserKey) -> String { "\(user.text)@example.org" }

    /// Where users in a row who are refused pause everything, an operator would have to end it again and again.
    private var refusedValue: String { settings.dispatcher.equalRejections > 0 ? "D" : Self.refusedValue }

    /// Few values, so that they come back: A → B → A is what an optimistic comparison overlooks.
    private mutating func value(of field: ProfileField) -> String? {
        let value = pick(["A", "A", "B", "B", "C", " D ", "", nil, chance(0.2, &random) ? refusedValue : "A"], &random)
        return field == .timeZone ? value.map { Self.zones[$0] ?? $0 } : value
    }

    /// The rest is no zone that is known.
    private static let zones = ["A": "Asia/Calcutta", "B": "berlin", "C": "UTC-03:00"]
}

extension ModelSourceRow {
    fileprivate var traced: String {
        let columns = fields.keys.sorted().map { "\($0.rawValue)=\((fields[$0] ?? nil) ?? "NULL")" }
        return "\(reference ?? "NULL") \(columns.joined(separator: " "))\(inScope ? "" : " out of scope")"
    }
}
