import Logging
import Synchronization

/// The least severe line that is written, which can change while the program runs.
final class LogThreshold: Sendable {
    private let state: Mutex<Logger.Level>

    init(_ level: Logger.Level) { state = Mutex(level) }

    var level: Logger.Level { state.withLock { $0 } }

    func change(to level: Logger.Level) { state.withLock { $0 = level } }
}
