import NIOConcurrencyHelpers

/// The sandbox's memory behind one lock: subscribers, faults and figures.
///
/// The lock closes the race between two requests for one reference, and makes a request's figures
/// and its effect one step. It is held for microseconds, never across a wait. It is a pthread mutex
/// rather than the standard library's `Mutex`, which the thread sanitizer can't see on Linux.
final class SandboxModel: Sendable {
    /// A request that is being worked on; handed back when it is over.
    struct Visit: Sendable {
        let draw: FaultDraw
        let reference: String?
    }

    let memory: NIOLockedValueBox<SandboxMemory>

    init(faults: [Fault]) {
        memory = NIOLockedValueBox(SandboxMemory(plan: FaultPlan(faults)))
    }

    // MARK: What operators and tests look at

    var subscribers: [SandboxSubscriber] { memory.withLockedValue { $0.book }.all }
    var figures: SandboxStatistics { memory.withLockedValue { $0.figures } }
    var faults: [Fault] { memory.withLockedValue { $0.plan.faults } }

    func subscriber(reference: String) -> SandboxSubscriber? {
        memory.withLockedValue { $0.book.subscriber(reference: reference) }
    }

    func setFaults(_ faults: [Fault]) {
        memory.withLockedValue { $0.plan = FaultPlan(faults) }
    }

    /// Forgets subscribers and figures; faults stay.
    func forgetEverything() {
        memory.withLockedValue { $0.forgetEverything() }
    }

    /// Puts subscribers there as if others had made them: they count as neither created nor updated.
    func seed(_ seeds: [SandboxSeed], at now: Double) {
        memory.withLockedValue { memory in
            for seed in seeds { _ = memory.book.upsert(seed.reference, profile: seed.profile, at: now) }
        }
    }

    /// Takes a subscriber away; whether there was one.
    func remove(reference: String) -> Bool {
        memory.withLockedValue { memory in
            guard let known = memory.book.subscriber(reference: reference) else { return false }
            return memory.book.delete(resourceID: known.resourceID)
        }
    }

    // MARK: One request's way

    /// Notes that work on a call begins, and draws what happens to it.
    func begin(_ call: Call, path: String) -> Visit {
        memory.withLockedValue { memory in
            let reference = memory.book.reference(of: call)
            memory.enter(call.isWrite ? reference : nil)
            let draw = memory.plan.draw(reference: reference, path: path, noting: &memory.counted.faults)
            return Visit(draw: draw, reference: call.isWrite ? reference : nil)
        }
    }

    /// Notes that work on a call is over. It comes before the answer is sent, because the caller may
    /// send its next call as soon as it has the answer.
    func end(_ visit: Visit) {
        memory.withLockedValue { $0.leave(visit.reference) }
    }

    /// Applies what came too late; its connection is gone.
    func applyLate(_ call: Call, by caller: Caller) {
        _ = apply(call, by: caller)
        memory.withLockedValue { $0.counted.appliedLate += 1 }
    }

    func noteAnswer(_ status: Int) {
        memory.withLockedValue {
            $0.counted.requests += 1
            $0.counted.byStatus[String(status), default: 0] += 1
        }
    }

    func noteNoAnswer() {
        memory.withLockedValue {
            $0.counted.requests += 1
            $0.counted.unanswered += 1
        }
    }
}
