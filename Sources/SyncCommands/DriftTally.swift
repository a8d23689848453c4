import SyncCore
import SyncStore

/// What a comparison with SignalWire came to, counted, with a few keys. No value and no stranger's reference is in it.
struct DriftTally {
    private let listed: Int
    private let duplicates: Int
    private let unclaimed: Sampled
    private var compared = 0
    private var same = 0
    private var differing = Sampled()
    private var fields: [ProfileField: Int] = [:]
    private var replaced = Sampled()
    private var missing = Sampled()
    private var renamed = Sampled()
    private var ambiguous = Sampled()
    private var adoptable = 0
    private var absent = 0
    private var held = 0
    private var moving = 0

    init(directory: RemoteDirectory) {
        listed = directory.count
        duplicates = directory.duplicates
        let nobodys = directory.unclaimed(sample: Sampled.most)
        unclaimed = Sampled(count: nobodys.count, sample: nobodys.sample.map(\.description))
    }

    /// Subscribers that would be created to make things right.
    var creating: Int { missing.count + renamed.count }

    /// A list without anybody, where somebody is known, is another space's rather than ours.
    var isListBelievable: Bool { listed > 0 }

    mutating func count(_ finding: RemoteFinding, of user: ComparedUser) {
        let key = user.claim.user.text
        switch finding {
        case .notCompared: return
        case .absent: absent += 1
        case .adoptable: adoptable += 1
        case .held: held += 1
        case .same, .differs, .replaced, .missing, .renamed, .ambiguous:
            compared += 1
            count(finding, key, isMoving: user.isMoving, isYoung: user.isYoung)
        }
    }

    private mutating func count(_ finding: RemoteFinding, _ key: String, isMoving: Bool, isYoung: Bool) {
        switch finding {
        case .same: same += 1
        case .ambiguous: ambiguous.add(key)
        case _ where isMoving: moving += 1
        case .differs(let names):
            differing.add(key)
            for name in names { fields[name, default: 0] += 1 }
        case .replaced(let names):
            replaced.add(key)
            for name in names { fields[name, default: 0] += 1 }
        case .missing, .renamed:
            guard !isYoung else {
                moving += 1
                return
            }
            if finding == .missing { missing.add(key) } else { renamed.add(key) }
        case .notCompared, .absent, .adoptable, .held: break
        }
    }

    var table: String {
        let counts = fields.sorted { $0.key < $1.key }.map { ("  " + $0.key.rawValue, "\($0.value)") }
        return Table.pairs(
            [
                ("subscribers at SignalWire", "\(listed)"), ("known users compared", "\(compared)"),
                ("as the row says", "\(same)"), ("with other values", differing.text),
            ] + counts + [
                ("made anew there", replaced.text), ("gone there", missing.text),
                ("under another reference there", renamed.text), ("ambiguous", ambiguous.text),
                ("changing just now", "\(moving)"), ("held, not compared", "\(held)"),
                ("never pushed, there already", "\(adoptable)"), ("never pushed", "\(absent)"),
                ("subscribers without user", unclaimed.text), ("references had by several", "\(duplicates)"),
            ])
    }
}
