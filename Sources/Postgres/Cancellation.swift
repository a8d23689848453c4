import Synchronization

/// One request to cancel, made on a thread of its own, because libpq's call has no deadline.
///
/// The connection must not be used before the request is over: it would hit the next statement.
final class Cancellation: Sendable {
    private let isDone = Atomic(false)

    /// Whether the server has heard the request, or never will.
    var isOver: Bool { isDone.load(ordering: .acquiring) }

    /// - Parameter wakeUp: is signalled when the request is over.
    init(_ handle: CancelHandle?, wakeUp: WakeUp) {
        let request: @Sendable () -> Void = {
            handle?.cancel()
            self.isDone.store(true, ordering: .releasing)
            wakeUp.signal()
        }
        // Without a thread nobody is asked, and the connection is given up when the grace is over.
        if (try? startThread(request)) == nil { isDone.store(true, ordering: .releasing) }
    }
}
