import Postgres
import SyncCore

/// Sends one notification and waits for it on the connection that an agent would listen on.
///
/// It has a channel of its own, so no agent is woken by it.
public struct NotificationTrip: Sendable {
    /// What came of it.
    public enum End: Sendable, Hashable {
        case heard(Duration)
        /// LISTEN was accepted, and nothing came.
        case silent
        /// The connection to listen on goes through a pooler.
        case pooled
        /// There is none.
        case unreachable(String, hint: String?)
    }

    let session: Session
    let listening: ConnectionSettings
    let patience: Duration

    /// - Parameters:
    ///   - session: sends it, as a trigger would.
    ///   - listening: where an agent listens.
    public init(from session: Session, to listening: ConnectionSettings, patience: Duration = .seconds(5)) {
        self.session = session
        self.listening = listening
        self.patience = patience
    }

    public func run() async throws(StoreError) -> End {
        let listener = Listener(listening, channels: [NotificationTrip.channel])
        let payload = String(UInt64.random(in: .min ... .max), radix: 16)
        let result = await withTaskGroup(of: Result<End, PostgresError>?.self) { group in
            group.addTask {
                await listener.run()
                return nil
            }
            group.addTask { await self.listen(listener, for: payload) }
            group.addTask {
                try? await Task.sleep(for: patience)
                return .success(.silent)
            }
            let first = await group.first { $0 != nil } ?? nil
            group.cancelAll()
            return first
        }
        do {
            return try result?.get() ?? .silent
        } catch {
            throw StoreError(error)
        }
    }

    private func listen(_ listener: Listener, for payload: String) async -> Result<End, PostgresError> {
        var start = ContinuousClock.now
        for await event in listener.events {
            switch event {
            case .pooled: return .success(.pooled)
            case .lost(let error): return .success(.unreachable(error.message, hint: error.hint))
            case .notified(_, payload, _): return .success(.heard(ContinuousClock.now - start))
            case .notified: continue
            case .listening:
                start = .now
                do throws(PostgresError) {
                    _ = try await session.query(NotificationTrip.send, [.text(payload)])
                } catch {
                    return .failure(error)
                }
            }
        }
        return .success(.silent)
    }

    static let channel = "subscriber_sync_doctor"

    static let send = Statement<Void>("send_notification", "SELECT pg_notify('\(channel)', $1)")
}

extension NotificationTrip.End {
    /// - Parameter isWanted: whether the settings ask for notifications.
    public func check(isWanted: Bool) -> Check {
        guard isWanted else {
            return .ok("notify", "Not asked for: changes are found at capture.poll_interval.")
        }
        switch self {
        case .heard(let took):
            let milliseconds = Int(took / .milliseconds(1))
            return .ok("notify", "A notification came back within \(max(1, milliseconds)) ms.")
        case .pooled:
            return .warn(
                "notify", "The connection to listen on goes through a pooler, so no notification arrives.",
                hint: "Agents poll at capture.poll_interval until a direct connection is named.",
                remedy: Self.remedy)
        case .silent:
            return .warn(
                "notify", "LISTEN is accepted, and hears nothing.",
                hint: "Something between here and the server keeps sessions apart, as a transaction pooler does.",
                remedy: Self.remedy)
        case .unreachable(let message, let hint):
            return .fail("notify", message, hint: hint ?? "Look at the connection that DATABASE_LISTEN_URL names.")
        }
    }

    private static let remedy = "DATABASE_LISTEN_URL=postgresql://USER@DIRECT_HOST:5432/DATABASE"
}
