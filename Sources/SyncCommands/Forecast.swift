import SyncCore
import SyncStore

extension Resync {
    /// What a resync would do: how many users each kind of it means, the first of them, and what they have in common.
    struct Preview: Sendable, Hashable {
        var creating = Tally()
        /// With the fields that differ; none where a push is only forced.
        var updating = Tally()
        /// Those of the updates that clear something which SignalWire has, with the fields.
        var clearing = Tally()
        var skipping = Tally()
        /// With the reasons.
        var holding = Tally()
        var outOfScope = Tally()

        /// One kind, counted.
        struct Tally: Sendable, Hashable {
            /// How many users are named.
            static let sampleSize = 5

            private(set) var count = 0
            private(set) var sample: [UserKey] = []
            /// How many users each detail concerns.
            private(set) var details: [String: Int] = [:]

            mutating func count(_ user: UserKey, _ details: [String] = []) {
                count += 1
                if sample.count < Tally.sampleSize { sample.append(user) }
                for detail in details { self.details[detail, default: 0] += 1 }
            }
        }

        /// In a sentence: what is created, and that it costs.
        var bill: String {
            let count = creating.count
            return "\(counted(count, "subscriber")) at SignalWire, which \(count == 1 ? "is" : "are") billed"
        }
    }

    /// Counts plans, page by page, as admission would judge them.
    struct Forecast {
        private(set) var preview = Preview()
        /// The references of those who would be admitted, as hashes: a number a user, however many there are.
        private var promised: Set<Int> = []

        /// - Parameter holding: the reference beside those of all others, where the plan needs admission.
        mutating func count(_ plan: PushPlan, of claim: Claim, _ holding: ReferenceHolding?) {
            switch plan {
            case .nothing: preview.skipping.count(claim.user)
            case .hold(let reason): preview.holding.count(claim.user, [reason.rawValue])
            case .forget: preview.outOfScope.count(claim.user)
            case .push(let push):
                if let holding, holding.isTaken || !promised.insert(holding.folded.hashValue).inserted {
                    preview.holding.count(claim.user, [HoldReason.duplicateReference.rawValue])
                } else if push.mayCreate(for: claim) {
                    preview.creating.count(claim.user)
                } else {
                    count(push, of: claim.user)
                }
            }
        }

        private mutating func count(_ push: Push, of user: UserKey) {
            preview.updating.count(user, push.changed.map(\.rawValue))
            if !push.cleared.isEmpty { preview.clearing.count(user, push.cleared.map(\.rawValue)) }
        }
    }
}

// MARK: - For eyes and for scripts

extension Resync.Preview {
    /// Each kind by its name in JSON, what it is called in the table, and what its details are.
    private var kinds: [(key: String, label: String, details: String?, tally: Tally)] {
        [
            ("create", "create", nil, creating), ("update", "update", "fields", updating),
            ("clear", "of these, clear", "fields", clearing), ("skip", "skip (nothing changed)", nil, skipping),
            ("hold", "hold", "reasons", holding), ("out_of_scope", "out of scope", nil, outOfScope),
        ]
    }

    var text: String {
        var table = Table(["resync", "users", "such as"])
        for (_, label, _, tally) in kinds {
            table.rows.append([label, String(tally.count), tally.sample.map(\.text).joined(separator: ", ")])
            for (detail, users) in tally.ranked { table.rows.append(["  " + detail, String(users), ""]) }
        }
        return table.text
    }

    var json: JSON {
        .object(
            kinds.map { key, _, details, tally in
                let listed = JSON.object(tally.ranked.map { ($0, .int($1)) })
                return (
                    key,
                    .object(
                        [("count", .int(tally.count)), ("sample", .array(tally.sample.map { .string($0.text) }))]
                            + (details.map { [($0, listed)] } ?? []))
                )
            })
    }
}

extension Resync.Preview.Tally {
    /// The details, those of most users first.
    fileprivate var ranked: [(String, Int)] { details.sorted { ($1.value, $0.key) < ($0.value, $1.key) } }
}
