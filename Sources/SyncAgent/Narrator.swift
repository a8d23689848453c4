import Logging
import NIOConcurrencyHelpers
import SyncCore
import SyncStore

/// Tells the log what changed: one line when a state begins and one when it ends, none for each user.
///
/// Users appear at debug level, by key and outcome. Nothing else of them does.
final class Narrator: Sendable {
    private let logger: Logger
    private let pulse: AgentPulse
    private let metrics: AgentMetrics
    private let state = NIOLockedValueBox(State())

    private struct State: Sendable {
        var failure: String?
        var sweepFailure: String?
        var identity = DatabaseIdentity.same
        var sourceFailure: String?
        var gate = GateKind.open
        var wakeUp: WakeUp?
        var outcome: Settlement.Outcome?
    }

    private enum GateKind: Sendable, Hashable {
        case open, paused, throttled

        init(_ gate: Gate) {
            switch gate {
            case .open: self = .open
            case .paused, .probing: self = .paused
            case .throttled: self = .throttled
            }
        }
    }

    init(logger: Logger, pulse: AgentPulse, metrics: AgentMetrics) {
        self.logger = logger
        self.pulse = pulse
        self.metrics = metrics
    }

    func started(_ metadata: Logger.Metadata) { logger.info("agent started", metadata: metadata) }

    /// Something about the settings that can't be what the operator wants, or rarely is.
    func cautions(_ field: ProfileField, _ caution: String) {
        logger.warning("field needs a second look", metadata: ["field": "\(field.rawValue)", "because": "\(caution)"])
    }

    func ended(_ end: DispatcherEnd) {
        let reading = pulse.reading
        var metadata: Logger.Metadata = ["because": "\(end)"]
        for (outcome, count) in reading.outcomes { metadata[outcome.rawValue] = "\(count)" }
        logger.info("agent ended", metadata: metadata)
    }

    func databaseAnswered() {
        guard
            state.withLockedValue({ state in
                defer { state.failure = nil }; return state.failure != nil
            })
        else { return }
        pulse.update { $0.isDatabaseReachable = true }
        logger.notice("database answers again")
    }

    func databaseFailed(_ error: StoreError, doing what: String) {
        pulse.update { $0.isDatabaseReachable = false }
        let isNew = state.withLockedValue { state in
            defer { state.failure = error.message }
            return state.failure != error.message
        }
        logger.log(
            level: isNew ? .error : .debug, "database statement failed; trying again",
            metadata: ["doing": "\(what)", "error": "\(error.message)", "hint": "\(error.hint ?? "none")"])
    }

    /// The database answers, but not about the source.
    func sourceFailed(_ error: StoreError) {
        let isNew = state.withLockedValue { state in
            defer { state.sourceFailure = error.message }
            return state.sourceFailure != error.message
        }
        logger.log(
            level: isNew ? .error : .debug, "the source can't be read as it is mapped; nobody is pushed",
            metadata: ["error": "\(error.message)", "hint": "\(error.hint ?? "none")"])
    }

    /// The loop meets the same trouble and says it; this is for trouble that only sweeps have.
    func sweepFailed(_ error: StoreError) {
        let isNew = state.withLockedValue { state in
            defer { state.sweepFailure = error.message }
            return ![state.sweepFailure, state.failure, state.sourceFailure].contains(error.message)
        }
        logger.log(
            level: isNew ? .warning : .debug, "a sweep could not go on; trying again",
            metadata: ["error": "\(error.message)", "hint": "\(error.hint ?? "none")"])
    }

    /// One line when a sweep begins and one when it ends; none for a poll, of which there are many.
    func swept(_ kind: SweepKind, _ turn: SweepTurn) {
        state.withLockedValue { $0.sweepFailure = nil }
        switch turn {
        case .began(let reason) where reason != .poll:
            logger.info("sweep began", metadata: ["sweep": "\(kind.rawValue)", "because": "\(reason.text)"])
        case .ended(let reason, let compared, let found) where reason != .poll:
            let isDrift = reason.findsDrift && found > 0
            logger.log(
                level: isDrift ? .warning : .info,
                isDrift ? "sweep ended; it found changes that nothing had told" : "sweep ended",
                metadata: [
                    "sweep": "\(kind.rawValue)", "because": "\(reason.text)", "users": "\(compared)",
                    "found": "\(found)",
                ])
        case .began, .ended, .taken, .resting, .waiting, .compared: break
        }
    }

    func cannotSeeTransactions() {
        logger.warning(
            "source.updated_at is not used, every poll compares everybody",
            metadata: [
                "because": "this role does not see when other transactions began",
                "hint": "it needs the role pg_read_all_stats",
            ])
    }

    func refuses(_ error: StoreError) {
        logger.error(
            "the schema was migrated while this agent ran; it stops",
            metadata: ["because": "\(error.message)", "hint": "\(error.hint ?? "none")"])
    }

    func foundNameless(_ count: Int) {
        logger.warning(
            "changes named no user, as while the key column has another name; a sweep finds whom they meant",
            metadata: ["changes": "\(count)"])
    }

    func braked(_ changed: Int, _ known: Int) {
        logger.error(
            "so many users changed at once that it looks like a mistake; `approve` pushes them, `reject` doesn't",
            metadata: ["changed": "\(changed)", "known": "\(known)"])
    }

    func mappingChanged(_ change: MappingChange) {
        logger.warning(
            "the mapping is another; it is used for users who change, and for all by `resync --all`",
            metadata: ["differs": "\(change.summary)"])
    }

    func identified(_ identity: DatabaseIdentity) {
        let isNew = state.withLockedValue { state in
            defer { state.identity = identity }
            return state.identity != identity
        }
        guard isNew else { return }
        switch identity {
        case .same: break
        case .restored: logger.warning("the database is on another timeline: everybody is compared")
        case .copied: logger.error("this database is a copy of the one that was synced; `resume` makes it the one")
        }
    }

    func gateSeen(_ gate: Gate) {
        let kind = GateKind(gate)
        let before = state.withLockedValue { state in
            defer { state.gate = kind }
            if kind == .open { state.sourceFailure = nil }
            return state.gate
        }
        guard before != kind else { return }
        switch kind {
        case .open: logger.notice("pushing again")
        case .paused: logger.warning("pushing is paused; `subscriber-sync status` says why")
        case .throttled: logger.warning("SignalWire asked for silence; waiting")
        }
    }

    func wakeUpSeen(_ wakeUp: WakeUp) {
        let isNew = state.withLockedValue { state in
            defer { state.wakeUp = wakeUp }
            return state.wakeUp != wakeUp
        }
        guard isNew else { return }
        logger.info("wake-up", metadata: ["mode": "\(wakeUp.name)", "because": "\(wakeUp.reason)"])
    }

    func settled(_ batch: [Settlement], _ report: SettleReport) {
        pulse.update { reading in
            for note in batch.compactMap(\.note) { reading.outcomes[note.outcome, default: 0] += 1 }
        }
        metrics.settled(batch, report)
        if report.lost > 0 {
            logger.warning("leases were lost; those users are pushed again", metadata: ["users": "\(report.lost)"])
        }
        for settlement in batch {
            guard let note = settlement.note else { continue }
            tellTrouble(note)
            logger.debug(
                "user settled",
                metadata: [
                    "user": "\(settlement.user)", "outcome": "\(note.outcome.rawValue)",
                    "code": "\(note.problem?.code ?? "none")",
                ])
        }
    }

    /// The first of a kind of trouble after something else is a line; those behind it are not.
    private func tellTrouble(_ note: Settlement.Note) {
        let before = state.withLockedValue { state in
            defer { state.outcome = note.outcome }
            return state.outcome
        }
        guard before != note.outcome, let problem = note.problem, note.outcome != .held else { return }
        logger.warning(
            note.outcome.headline,
            metadata: [
                "outcome": "\(note.outcome.rawValue)", "code": "\(problem.code)", "message": "\(problem.message)",
            ])
    }
}

extension Settlement.Outcome {
    /// What a line says of a user who met a problem.
    fileprivate var headline: Logger.Message {
        switch self {
        case .accepted, .unchanged, .subscriberIDChanged: "a field of a user is not sent"
        case .held, .deleted, .outOfScope, .rejected, .throttled, .unavailable, .unanswered, .accountRefused:
            "SignalWire did not accept a user"
        }
    }
}
