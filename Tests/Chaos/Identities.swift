/// Which users ever had which references, whatever became of the writes: who may have how many subscribers.
///
/// Users and references that ever met are one family. A family may have as many subscribers as it has had users:
/// one user whose reference changes has one subscriber for good, two who swap theirs have two, and a key that
/// changes is a new user of the old one's subscriber.
struct Identities {
    private var families: [String: String] = [:]
    private var users: Set<Int> = []
    private var references: Set<String> = []
    /// References that no user in scope ever had: of writes that were rolled back, and of rows never in scope.
    private(set) var ghosts: Set<String> = []

    mutating func met(_ user: Int, _ reference: String) {
        users.insert(user)
        references.insert(reference)
        let (one, other) = (root("#\(user)"), root(reference))
        if one != other { families[one] = other }
    }

    mutating func ghost(_ reference: String) { ghosts.insert(reference) }

    /// The families that have more subscribers than users, as a sentence each; and strangers.
    func violations(among subscribers: [String]) -> [String] {
        var found: [String] = []
        var members: [String: Int] = [:]
        for user in users { members[root("#\(user)"), default: 0] += 1 }
        var held: [String: [String]] = [:]
        for reference in subscribers {
            guard references.contains(reference) else {
                let isGhost = ghosts.contains(reference)
                found.append("a subscriber was created for \(isGhost ? "the ghost" : "a stranger") \(reference)")
                continue
            }
            held[root(reference), default: []].append(reference)
        }
        for (family, subscribers) in held where subscribers.count > members[family] ?? 0 {
            found.append("\(members[family] ?? 0) users have \(subscribers.count) subscribers: \(subscribers.sorted())")
        }
        return found.sorted()
    }

    private func root(_ member: String) -> String {
        var member = member
        while let above = families[member] { member = above }
        return member
    }
}
