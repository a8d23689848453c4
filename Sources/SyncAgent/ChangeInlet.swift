import SyncCore
import SyncStore

/// Takes word of changed users from somebody else than a trigger: it marks them, and the agent looks at once.
///
/// It has a session of its own, so that nobody who tells of a change waits for a claim or a sweep.
public struct ChangeInlet: Sendable {
    private let keeper: StoreKeeper
    private let onMarked: @Sendable () -> Void

    init(store: Store, onMarked: @escaping @Sendable () -> Void) {
        keeper = StoreKeeper(store)
        self.onMarked = onMarked
    }

    /// Marks users, once for each message. What it returns is committed.
    public func mark(_ users: [UserKey], message: String) async throws(StoreError) -> MessageReceipt {
        let receipt = try await keeper.run { store async throws(StoreError) in
            try await store.mark(users, message: message)
        }
        if case .marked = receipt { onMarked() }
        return receipt
    }
}

extension Agent {
    /// A way in for those who tell this agent of changes.
    ///
    /// - Parameter store: one on a session of its own.
    public func inlet(_ store: Store) -> ChangeInlet {
        ChangeInlet(store: store) { [weak self] in self?.look() }
    }
}
