import ArgumentParser
import SyncCore
import Postgres
import SyncStore

/// `subscriber-sync show`
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "One user: what the database says, what SignalWire was last told, what differs, and what comes next.",
        discussion: """
            Values are neither kept nor shown: fields are compared by short hashes of what was told. --remote reads \
            SignalWire's list until the subscriber comes, and says which fields are the same there.

            Examples:
              subscriber-sync show 42
              subscriber-sync show -7
              subscriber-sync show 42 --remote
              subscriber-sync show 42 --format json
            """)

    @Argument(help: "The user's key, as source.key has it.")
    var key: String

    @Flag(help: "Compare with what SignalWire has, too.")
    var remote = false

    @Option(help: "table or json.")
    var format = OutputFormat.table

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let context = try CommandContext(options)
        let session = try context.session()
        let store = try await context.store(session, agent: context.operatorName)
        let found = try await context.checked { () async throws(StoreError) -> Found? in
            guard let user = try await store.canonicalKey(of: key), let claim = try await store.look(at: user) else {
                return nil
            }
            return (
                claim, try await store.row(of: user), try await store.standstill(),
                try await store.formerPairs(of: user)
            )
        }
        await session.close()
        guard let (claim, row, standstill, pairs) = found else {
            throw Failure(
                .noInput, "There is no user \(key).",
                hint: "The key is what \(context.keyColumn) holds; neither the table nor the state has this one.")
        }
        let view = UserView(
            claim: claim, row: row, standstill: standstill, pairs: pairs, rules: context.rules,
            columns: context.fieldSources)
        let there = remote ? try await RemoteView.look(for: claim, columns: context.fieldSources, context) : nil
        switch format {
        case .json: Terminal.out(view.json(with: there).document)
        case .table: Terminal.out(view.table + (there?.table ?? ""))
        }
    }

    private typealias Found = (Claim, SubscriberRow?, FleetStandstill?, [FormerPair])
}

/// What `show` says of one user, worked out from the same plan that an agent would make.
struct UserView {
    let claim: Claim
    let row: SubscriberRow?
    let standstill: FleetStandstill?
    /// References of before, the last one first.
    let pairs: [FormerPair]
    let plan: PushPlan
    /// How to answer a changed reference; `nil`: it isn't held for that.
    let answer: String?
    let columns: [ProfileField: String]

    init(
        claim: Claim, row: SubscriberRow?, standstill: FleetStandstill?, pairs: [FormerPair] = [], rules: PushRules,
        columns: [ProfileField: String]
    ) {
        self.claim = claim
        self.row = row
        self.standstill = standstill
        self.columns = columns
        self.pairs = pairs
        plan = PushPlan(for: claim, rules: rules)
        answer = claim.changedReference(by: rules).map { _ in
            "subscriber-sync resync --user \(claim.user) --accept-reference"
        }
    }

    /// How one field stands.
    enum FieldState: String {
        case same, differs, unknown
        case neverSent = "not sent yet"
        case blank = "blank, never sent"
        case leftOut = "left out: no known time zone"
    }

    var status: String { row?.status ?? "unsynced" }

    var sourceText: String {
        switch claim.source {
        case .present(nil, _, _): "in scope, without a reference"
        case .present: "in scope"
        case .outOfScope: "out of scope (source.where)"
        case .withoutProfile: "in scope, but source.profile has no row"
        case .deleted: "no such row"
        }
    }

    /// The reference that the row has now, where SignalWire knows another one, or none.
    var referenceInTable: String? {
        guard case .present(let reference?, _, _) = claim.source, reference.text != row?.reference else { return nil }
        return reference.text
    }

    var fields: [(ProfileField, FieldState)] {
        guard case .present(_, let profile, let digests) = claim.source else { return [] }
        return columns.keys.sorted().map { field in
            (field, field == .timeZone && profile.omitsTimeZone ? .leftOut : state(of: field, digests))
        }
    }

    private func state(of field: ProfileField, _ digests: ProfileDigests) -> FieldState {
        let current = digests.values[field]
        switch claim.told[field] {
        case nil: return current == nil ? .blank : .neverSent
        case .unknown: return .unknown
        case .known(let told): return told == current ?? digests.empty[field] ? .same : .differs
        }
    }

    /// What happens next, and why, in a sentence.
    var next: String {
        guard let row, row.dueAt != nil else { return rest }
        let wait = row.dueInSeconds.map { $0 > 0 ? "in \(spoken(seconds: $0))" : "now" } ?? "now"
        switch row.status {
        case "in_flight": return "a call is in flight; if its agent is gone, another takes over \(wait)" + meanwhile
        case "retrying": return opening("tried again", wait) + ", after \(counted(row.attempts, "attempt"))"
        case _: return opening("due", wait) + ": " + planned
        }
    }

    /// What is to be done with a user who is due, and when: not while nobody may push.
    private func opening(_ what: String, _ wait: String) -> String {
        obstacle.map { "\($0); then \(what)" } ?? "\(what) \(wait)"
    }

    private var meanwhile: String { obstacle.map { ". Nobody else is pushed: \($0)" } ?? "" }

    /// What keeps everybody from being pushed, and what ends it.
    private var obstacle: String? {
        if let pause = standstill?.pause {
            let probe = standstill?.probeInSeconds.map {
                $0 > 0 ? " (the next probe in \(spoken(seconds: $0)))" : " (a probe is due)"
            }
            return "waits: pushing is \(pause.explanation)\(probe ?? "")"
        }
        return standstill?.throttledForSeconds.map {
            "waits \(spoken(seconds: $0)), because SignalWire asked for silence"
        }
    }

    /// For a user who isn't due.
    private var rest: String {
        switch plan {
        case .nothing: "nothing: SignalWire was told exactly this"
        case .hold(let reason): "held: \(reason.explanation)"
        case .forget: "nothing is sent for a user who isn't in scope; the subscriber stays at SignalWire"
        case .push:
            switch status {
            case "rejected": "nothing until the row changes or an operator says `resync --user \(claim.user)`"
            case "held": row?.lastError ?? "held until the reason is gone"
            case _: "nothing was captured since; `resync --user \(claim.user)` pushes what differs"
            }
        }
    }

    private var planned: String {
        switch plan {
        case .nothing: "nothing would be sent, SignalWire was told exactly this"
        case .hold(let reason): "it would be held. \(reason.explanation)"
        case .forget: "nothing would be sent, the user isn't in scope"
        case .push(let push) where push.mayCreate(for: claim): "a new subscriber would be created"
        case .push(let push) where claim.earlier.contains(push.reference):
            "the user would return to the subscriber of before"
        case .push(let push):
            push.changed.isEmpty
                ? "the profile would be sent again, to be sure"
                : "would send \(push.changed.map(\.rawValue).joined(separator: ", "))"
        }
    }
}

extension UserView {
    var table: String {
        var pairs = [
            ("user", claim.user.text), ("status", status), ("next", next), ("source", sourceText),
            ("reference", row?.reference ?? "none"), ("subscriber_id", row?.subscriberID ?? "none"),
        ]
        let optional: [(String, String?)] = [
            ("since", row?.referenceSince), ("reference in the table", referenceInTable), ("to take it", answer),
            ("changed at", row?.changedAt), ("last attempt", row?.lastAttemptAt), ("synced at", row?.syncedAt),
            ("last error", row?.lastErrorCode.map { "\($0): \(row?.lastError ?? "")" }),
        ]
        pairs += optional.compactMap { label, value in value.map { (label, $0) } }
        return ([Table.pairs(pairs)] + [fieldTable, pairTable].compactMap { $0?.text }).joined(separator: "\n")
    }

    private var fieldTable: Table? {
        guard !fields.isEmpty else { return nil }
        var table = Table(["FIELD", "COLUMN", "SIGNALWIRE WAS TOLD"])
        table.rows = fields.map { [$0.rawValue, columns[$0] ?? "", $1.rawValue] }
        return table
    }

    private var pairTable: Table? {
        guard !pairs.isEmpty else { return nil }
        var table = Table(["REFERENCE BEFORE", "SUBSCRIBER", "FROM", "UNTIL"])
        table.rows = pairs.map { [$0.reference, $0.subscriberID ?? "none", $0.since, $0.until] }
        return table
    }

    var json: JSON {
        .object([
            ("user_key", .string(claim.user.text)), ("status", .string(status)), ("next", .string(next)),
            ("source", .string(sourceText)), ("reference", .optional(row?.reference)),
            ("subscriber_id", .optional(row?.subscriberID)), ("reference_since", .optional(row?.referenceSince)),
            ("reference_in_table", .optional(referenceInTable)), ("answer", .optional(answer)),
            ("pairs_before", .array(pairs.map(\.json))), ("attempts", .int(row?.attempts ?? 0)),
            ("changed_at", .optional(row?.changedAt)), ("due_at", .optional(row?.dueAt)),
            ("last_attempt_at", .optional(row?.lastAttemptAt)), ("synced_at", .optional(row?.syncedAt)),
            ("last_error", .optional(row?.lastError)), ("last_error_code", .optional(row?.lastErrorCode)),
            ("fields", .object(fields.map { ($0.rawValue, .string($1.rawValue)) })),
            ("pause", standstill?.pause?.json ?? .null), ("throttled_until", .optional(standstill?.throttledUntil)),
        ])
    }
}

extension FormerPair {
    fileprivate var json: JSON {
        .object([
            ("reference", .string(reference)), ("subscriber_id", .optional(subscriberID)), ("since", .string(since)),
            ("until", .string(until)),
        ])
    }
}
