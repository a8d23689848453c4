import Postgres
import SyncCore
import SyncStore

/// A full sweep that an operator asks for: the agents compare everybody, and push who differs.
struct Verification {
    let store: Store
    let context: CommandContext

    /// Asks for it, and waits for its end if that is wanted.
    func run(in session: Session, isAwaited: Bool) async throws {
        let start = try await context.checked { () async throws(StoreError) in
            let start = try await store.clock()
            try await store.requestSweep(because: Verification.reason)
            return start
        }
        Terminal.out("asked for a sweep of everybody\n")
        guard isAwaited else { return }
        while true {
            let (isAsked, status) = try await context.checked { () async throws(StoreError) in
                (try await store.isSweepAsked(because: Verification.reason), try await FleetStatus.read(in: session))
            }
            // Whoever asked at the same time is answered by the same sweep. The database writes times so that the
            // later one is the greater text.
            if !isAsked, status.sweeps.reason == nil, let ended = status.sweeps.endedAt, ended > start {
                let figures = (status.sweeps.endedCompared ?? 0, status.sweeps.endedFound ?? 0)
                Terminal.out("compared \(counted(figures.0, "user")), \(figures.1) differed\n")
                return
            }
            guard status.agents > 0 else {
                throw Failure(
                    .unavailable, "No agent is running, so nobody is compared.",
                    hint: "Start `subscriber-sync run`; the sweep stays asked for.")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static let reason = "verify"
}
