/// What a listener has to tell.
public enum ListenerEvent: Sendable, Equatable {
    /// From now on notifications arrive. What was sent before may have been missed: look for yourself.
    case listening(backendPID: Int32)
    /// Somebody sent NOTIFY; `senderPID` is the server's process that did.
    case notified(channel: String, payload: String, senderPID: Int32)
    /// The connection goes through a pooler, so LISTEN was not even tried: it would belong to a session of
    /// the server that is lent to everybody. The listener looks again now and then.
    case pooled
    /// The connection is gone, or none came about. The listener goes on trying.
    case lost(PostgresError)
}

/// How long to wait before the next attempt: full jitter, so that many listeners don't return at once.
struct ListenerBackoff {
    private static let base = Duration.milliseconds(100)
    private static let cap = Duration.seconds(15)

    private var attempts = 0

    /// A connection that lasted forgives the attempts before it; one that breaks at once does not.
    mutating func connectionEnded(after lifetime: Duration) {
        if lifetime >= ListenerBackoff.cap { attempts = 0 }
    }

    /// Between nothing and twice as much as the last time, up to the cap.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let ceiling = min(ListenerBackoff.cap, ListenerBackoff.base * (1 << min(attempts, 20)))
        attempts += 1
        return .milliseconds(Int64.random(in: 0...ceiling.milliseconds, using: &generator))
    }
}
