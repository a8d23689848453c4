import SyncCore
import SyncStore

/// Compares everybody with what was last read of them, page by page, on a session of its own.
///
/// It appends what differs to `change`, as a trigger would, and decides nothing: which sweep is due, and how far it
/// is, stands in the database, so any number of agents share one sweep and none is lost with an agent.
struct Sweeper: Sendable {
    let keeper: StoreKeeper
    let settings: SweepSettings
    let narrator: Narrator
    /// What is to be swept now; it depends on whether capture works.
    let schedules: @Sendable () -> [SweepSchedule]
    /// Looks whether it does. `nil`: nothing is captured by triggers.
    let onExamination: (@Sendable (CaptureHealth) -> Bool)?
    /// Somebody differed, so there is something to claim.
    let onFinding: @Sendable () -> Void
    /// Nothing is under way and nothing due: said once.
    let onFirstRest: @Sendable () -> Void
    /// Rows can't be read as they are mapped: said at each failure.
    let onMisfit: @Sendable () -> Void

    /// How soon to look again where another agent is at it.
    fileprivate static let takenWait = Duration.milliseconds(50)

    /// Goes on until the task is cancelled.
    func run() async {
        var failures = 0
        var hasRested = false
        var random = SeededRandom(seed: .random(in: .min ... .max))
        var examinedAt: ContinuousClock.Instant?
        var backlogSoughtAt: ContinuousClock.Instant?
        while !Task.isCancelled {
            let wait: Duration
            do {
                if examinedAt.map({ .now - $0 > Sweeper.examinationInterval }) ?? true {
                    try await examine()
                    examinedAt = .now
                }
                let looksForBacklog = backlogSoughtAt.map { .now - $0 > Sweeper.backlogInterval } ?? true
                if looksForBacklog { backlogSoughtAt = .now }
                let turns = try await turn(looksForBacklog: looksForBacklog)
                failures = 0
                let isResting = turns.allSatisfy(\.isRest)
                if isResting, !hasRested {
                    hasRested = true
                    onFirstRest()
                }
                wait = turns.map(\.wait).min() ?? SweepStep.longestWait
            } catch {
                // Who is told to stop has no trouble to tell of.
                guard !Task.isCancelled else { return }
                failures += 1
                narrator.sweepFailed(error)
                if error.code == .mismatch { onMisfit() }
                wait = max(Sweeper.takenWait, Backoff.database.delay(afterFailures: failures, using: &random))
            }
            try? await Task.sleep(for: wait)
        }
    }

    /// How often to look whether changes wait that a sweep would only add to.
    private static let backlogInterval = Duration.seconds(1)

    /// How often the triggers are compared with what `migrate` left.
    private static let examinationInterval = Duration.seconds(10)

    /// What was hidden while triggers were broken is found by one more sweep after they are whole again.
    private func examine() async throws(StoreError) {
        guard let onExamination else { return }
        let health = try await keeper.run { store async throws(StoreError) in try await store.captureHealth() }
        if onExamination(health) { try await keeper.any.requestSweep(because: "capture_restored") }
    }

    /// One turn at each kind of sweep.
    private func turn(looksForBacklog: Bool) async throws(StoreError) -> [SweepTurn] {
        var turns: [SweepTurn] = []
        for schedule in schedules() {
            let settings = settings
            let turn = try await keeper.run { store async throws(StoreError) in
                try await store.sweep(schedule, settings, looksForBacklog: looksForBacklog)
            }
            narrator.swept(schedule.kind, turn)
            if turn.found > 0 { onFinding() }
            turns.append(turn)
        }
        return turns
    }
}

extension SweepTurn {
    /// Whether nothing is under way and nothing due.
    fileprivate var isRest: Bool {
        switch self {
        case .resting: true
        case .taken, .waiting, .began, .compared, .ended: false
        }
    }

    /// How long until the next turn is worth it.
    fileprivate var wait: Duration {
        switch self {
        case .taken: Sweeper.takenWait
        case .resting(let wait), .waiting(let wait), .compared(_, _, let wait): wait
        case .began, .ended: .zero
        }
    }

    fileprivate var found: Int {
        switch self {
        case .compared(_, let found, _), .ended(_, _, let found): found
        case .taken, .resting, .waiting, .began: 0
        }
    }
}
