import SyncCore
import SyncStore

/// What an adoption came to, counted, with a few keys. References of people who are no users here are never named.
struct AdoptionTally {
    private let isDryRun: Bool
    private let listed: Int
    private let unreadable: Int
    private let duplicates: Int
    private let unclaimed: Sampled
    private var matched = 0
    private var same = 0
    private var differing = Sampled()
    private var spelledOtherwise = Sampled()
    private var known = 0
    private var unmatched = Sampled()
    private var ambiguous = Sampled()
    private var later = Sampled()

    init(isDryRun: Bool, directory: RemoteDirectory) {
        self.isDryRun = isDryRun
        listed = directory.count
        unreadable = directory.unreadable
        duplicates = directory.duplicates
        let nobodys = directory.unclaimed(sample: Sampled.most)
        unclaimed = Sampled(count: nobodys.count, sample: nobodys.sample.map(\.description))
    }

    /// - Parameter verdict: the database's; `nil`: it wasn't asked.
    mutating func count(_ plan: AdoptionPlan, of user: UserKey, _ verdict: AdoptionVerdict?) {
        switch plan {
        case .adopt(let adoption):
            switch verdict {
            case .adopted, nil: count(adoption)
            case .taken: ambiguous.add(user.text)
            case .later: later.add(user.text)
            }
        case .known: known += 1
        case .unmatched: unmatched.add(user.text)
        case .ambiguous: ambiguous.add(user.text)
        case .notCompared: break
        }
    }

    private mutating func count(_ adoption: Adoption) {
        matched += 1
        if adoption.isSpelledOtherwise {
            spelledOtherwise.add(adoption.user.text)
        } else if adoption.isSame {
            same += 1
        } else {
            differing.add(adoption.user.text)
        }
    }

    var table: String {
        Table.pairs([
            ("subscribers at SignalWire", "\(listed)" + (unreadable == 0 ? "" : ", and \(unreadable) unreadable")),
            (isDryRun ? "would be adopted" : "adopted", "\(matched)"),
            ("  as the row says", "\(same)"),
            ("  with other values", differing.text),
            ("  spelled otherwise", spelledOtherwise.text),
            ("known already", "\(known)"),
            ("users without subscriber", unmatched.text),
            ("subscribers without user", unclaimed.text),
            ("ambiguous users", ambiguous.text),
            ("references had by several", "\(duplicates)"),
            ("busy, left for later", later.text),
        ])
    }

    var json: JSON {
        .object([
            ("dry_run", .bool(isDryRun)), ("listed", .int(listed)), ("unreadable", .int(unreadable)),
            ("adopted", .int(matched)), ("same", .int(same)), ("differing", differing.json),
            ("spelled_otherwise", spelledOtherwise.json), ("known", .int(known)),
            ("users_without_subscriber", unmatched.json), ("subscribers_without_user", unclaimed.json),
            ("ambiguous_users", ambiguous.json), ("duplicate_references", .int(duplicates)), ("later", later.json),
        ])
    }

    /// What to do next, if anything; on stderr.
    var hint: String? {
        if later.count > 0, !isDryRun {
            return "hint: \(counted(later.count, "user")) changed or were in hand meanwhile; say `adopt` again.\n"
        }
        if spelledOtherwise.count > 0 {
            return "hint: Where SignalWire spells a reference otherwise, a push is held as reference_changed: "
                + "nobody knows whether it takes both for one.\n"
        }
        return nil
    }
}
