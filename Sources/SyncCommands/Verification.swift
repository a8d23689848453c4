import Postgres
import SyncCore
import SyncStore

/// Compares everybody with what SignalWire has, and has pushed who differs, for whatever reason.
///
/// The agents are asked for a sweep besides: it finds users that came or went without anybody's telling.
struct Verification {
    let store: Store
    let context: CommandContext
    let isDryRun: Bool
    /// Whether subscribers may be created for users whose own are gone.
    let mayCreate: Bool

    func run(in session: Session, isAwaited: Bool) async throws {
        let survey = try await RemoteSurvey.take(store, context)
        var tally = DriftTally(directory: survey.directory)
        try await survey.forEachPage("users compared") { users in
            for user in users { tally.count(finding(user, survey), of: user) }
        }
        Terminal.out(tally.table)
        if !isDryRun {
            let start = try await context.checked { () async throws(StoreError) in try await store.clock() }
            let count = try await repair(survey, creating: try agreement(to: tally))
            Terminal.out("marked \(counted(count, "user"))\n")
            let sweep = try await SweepRequest.ask(store, context)
            guard isAwaited else { return }
            if count > 0 { try await pushes(of: count, since: start, in: session) }
            try await sweep.wait(in: session)
        }
    }

    private func finding(_ user: ComparedUser, _ survey: RemoteSurvey) -> RemoteFinding {
        RemoteFinding(for: user.claim, in: survey.directory, rules: context.rules)
    }

    /// Whether those are to be pushed whose subscribers are gone. They are billed anew, so it is asked first.
    private func agreement(to tally: DriftTally) throws(Failure) -> Bool {
        let count = tally.creating
        guard count > 0 else { return false }
        guard tally.isListBelievable else {
            Terminal.err(
                "subscriber-sync: SignalWire lists nobody at all, so \(counted(count, "known user")) stay as they are.\n"
                    + "hint: Check SIGNALWIRE_SPACE and SIGNALWIRE_PROJECT_ID.\n")
            return false
        }
        if mayCreate { return true }
        let question =
            "\(counted(count, "subscriber")) would be created anew, which \(count == 1 ? "is" : "are") billed."
        if Terminal.isInTerminal { return Terminal.confirm(question + " Go ahead?") }
        Terminal.err("subscriber-sync: \(question)\nhint: Say --yes to have them pushed; they stay as they are.\n")
        return false
    }

    /// - Returns: how many users are due now.
    private func repair(_ survey: RemoteSurvey, creating isCreating: Bool) async throws -> Int {
        var count = 0
        try await survey.forEachPage("users marked") { users in
            var drifted: [(user: ComparedUser, fields: [ProfileField])] = []
            var missing: [ComparedUser] = []
            for user in users where !user.isMoving {
                switch finding(user, survey).repair {
                case .push(let fields): drifted.append((user, fields))
                case .create: if isCreating, !user.isYoung { missing.append(user) }
                case nil: break
                }
            }
            let (pushed, created) = (drifted, missing)
            count += try await context.checked { () async throws(StoreError) in
                try await store.markDrift(pushed).count + store.markMissing(created).count
            }
        }
        let marked = count
        if marked > 0 {
            try await context.checked { () async throws(StoreError) in
                try await store.announceResync(of: marked, isForced: true, selection: "--verify")
            }
        }
        return marked
    }

    private func pushes(of count: Int, since start: String, in session: Session) async throws {
        let resync = Resync(store: store, selection: .all, isForced: true, rules: context.rules, context: context)
        try await resync.wait(for: count, since: start, in: session)
    }
}

extension RemoteFinding {
    /// What makes it right.
    enum Repair {
        case push([ProfileField])
        /// Another subscriber, which is billed.
        case create
    }

    var repair: Repair? {
        switch self {
        case .differs(let fields), .replaced(let fields): .push(fields)
        case .missing, .renamed: .create
        case .same, .adoptable, .absent, .ambiguous, .held, .notCompared: nil
        }
    }
}

/// A full sweep that an operator asks for: the agents compare everybody with what was last read of them.
struct SweepRequest {
    private let store: Store
    private let context: CommandContext
    /// When it was asked for, by the database's clock.
    private let start: String

    private static let reason = "verify"

    static func ask(_ store: Store, _ context: CommandContext) async throws -> SweepRequest {
        let start = try await context.checked { () async throws(StoreError) in
            let start = try await store.clock()
            try await store.requestSweep(because: reason)
            return start
        }
        Terminal.out("asked for a sweep of everybody\n")
        return SweepRequest(store: store, context: context, start: start)
    }

    /// Waits for its end, and says what it found.
    func wait(in session: Session) async throws {
        var bar: ProgressBar?
        while true {
            let (isAsked, status) = try await context.checked { () async throws(StoreError) in
                (try await store.isSweepAsked(because: Self.reason), try await FleetStatus.read(in: session))
            }
            // Whoever asked at the same time is answered by the same sweep. The database writes times so that the
            // later one is the greater text.
            if !isAsked, status.sweeps.reason == nil, let ended = status.sweeps.endedAt, ended > start {
                bar?.end()
                let figures = (status.sweeps.endedCompared ?? 0, status.sweeps.endedFound ?? 0)
                Terminal.out("swept \(counted(figures.0, "user")), \(figures.1) differed\n")
                return
            }
            if let compared = status.sweeps.compared {
                let drawn = bar ?? ProgressBar(total: status.total)
                drawn.draw(done: min(compared, status.total))
                bar = drawn
            }
            guard status.agents > 0 else {
                bar?.end()
                throw Failure(
                    .unavailable, "No agent is running, so nobody is swept or pushed.",
                    hint: "Start `subscriber-sync run`; what was asked for stays asked for.")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
