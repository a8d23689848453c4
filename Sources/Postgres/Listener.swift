import Synchronization

/// Listens on channels, over a connection of its own, and comes back whenever that is lost.
///
/// A connection that is silent for a while is asked to listen once more, which changes nothing and must
/// be answered: so a connection is noticed that TCP takes for alive, because a proxy in between does.
///
/// Behind a pooler it does not listen at all. The registration would stay on a session of the server that
/// is the application's next, and what comes in there reaches nobody, or somebody who did not ask for it.
public final class Listener: Sendable {
    private enum State {
        /// To `running` or `closed`.
        case fresh
        case running(Task<Void, Never>)
        case closed
    }

    /// For one consumer. Ends when the listener does. What nobody takes is kept up to a limit; the oldest
    /// goes first.
    public let events: AsyncStream<ListenerEvent>

    private let continuation: AsyncStream<ListenerEvent>.Continuation
    private let settings: ConnectionSettings
    private let channels: [String]
    private let silence: Duration
    private let state = Mutex(State.fresh)

    /// How long a connection may be silent before it has to prove that it is there.
    public static let defaultSilence = Duration.seconds(30)

    /// How long to wait before looking whether there is still a pooler in between: its settings rarely change.
    private static let pooledPause = Duration.seconds(60)

    /// How long LISTEN may take: it does next to nothing, so more would only delay noticing a dead connection.
    private static let patience = Duration.seconds(10)

    /// - Parameter channels: their names as they are, not quoted and not folded.
    public init(_ settings: ConnectionSettings, channels: [String], silence: Duration = defaultSilence) {
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
        var settings = settings
        settings.statementTimeout = min(settings.statementTimeout, Listener.patience)
        self.settings = settings
        self.channels = channels
        self.silence = silence
    }

    /// Listens until the task is cancelled or the listener closed. A second call returns at once.
    public func run() async {
        let started = state.withLock { state -> Task<Void, Never>? in
            guard case .fresh = state else { return nil }
            let task = Task { await self.listen() }
            state = .running(task)
            return task
        }
        guard let started else { return }
        await withTaskCancellationHandler {
            await started.value
        } onCancel: {
            started.cancel()
        }
        close()
    }

    /// Ends the listening and the events.
    public func close() {
        let last = state.withLock { state in
            defer { state = .closed }
            return state
        }
        switch last {
        case .running(let task): task.cancel()
        case .fresh, .closed: break
        }
        continuation.finish()
    }

    private func listen() async {
        var backoff = ListenerBackoff()
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let began = SuspendingClock.now
            let end = await hearOut()
            if Task.isCancelled { return }
            switch end {
            case .pooled:
                continuation.yield(.pooled)
                try? await Task.sleep(for: Listener.pooledPause)
            case .lost(let error):
                continuation.yield(.lost(error))
                backoff.connectionEnded(after: began.duration(to: .now))
                try? await Task.sleep(for: backoff.next(using: &generator))
            }
        }
    }

    /// Why a connection is not listened to any longer.
    private enum End {
        case pooled
        case lost(PostgresError)
    }

    /// Connects and passes on what arrives, until something breaks.
    private func hearOut() async -> End {
        do throws(PostgresError) {
            let connection = try await Connection.open(settings)
            guard !connection.isPooled else {
                await connection.close()
                return .pooled
            }
            do throws(PostgresError) {
                try await subscribe(connection)
                continuation.yield(.listening(backendPID: connection.backendPID))
                while true { try await pass(connection) }
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            return .lost(error)
        }
    }

    private func subscribe(_ connection: Connection) async throws(PostgresError) {
        let commands = channels.map { "LISTEN \(quoteIdentifier($0))" }
        try await connection.executeScript(commands.joined(separator: ";"), name: "LISTEN")
    }

    private func pass(_ connection: Connection) async throws(PostgresError) {
        let arrived = try await connection.notifications(within: silence)
        if arrived.isEmpty { try await subscribe(connection) }
        for one in arrived {
            continuation.yield(.notified(channel: one.channel, payload: one.payload, senderPID: one.senderPID))
        }
    }
}
