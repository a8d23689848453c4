import SignalWireSandbox
import Synchronization

/// Counts the calls that the sandbox accepts, and how long none is.
final class Meter: Sendable {
    private let sandbox: Sandbox
    private let gap = Mutex(Duration.zero)
    private let watching = Mutex<Task<Void, Never>?>(nil)

    init(sandbox: Sandbox) { self.sandbox = sandbox }

    /// Accepted calls a second while the body runs.
    func rate(_ body: () async throws -> Void) async rethrows -> Double {
        watch()
        let (start, first) = (ContinuousClock.now, accepted)
        try await body()
        return Double(accepted - first) / (ContinuousClock.now - start).seconds
    }

    /// Since the first rate was measured.
    var longestGap: Duration { gap.withLock { $0 } }

    func stop() { watching.withLock { $0?.cancel() } }

    private var accepted: Int { sandbox.statistics().byStatus["200"] ?? 0 }

    private func watch() {
        watching.withLock { task in
            guard task == nil else { return }
            task = Task { await self.follow() }
        }
    }

    private func follow() async {
        var (last, since) = (accepted, ContinuousClock.now)
        while (try? await Task.sleep(for: .milliseconds(50))) != nil {
            let now = accepted
            let length = ContinuousClock.now - since
            gap.withLock { $0 = max($0, length) }
            if now != last { (last, since) = (now, ContinuousClock.now) }
        }
    }
}
