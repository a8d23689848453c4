import CLibPQ

extension Connection {
    /// Waits until notifications have come, or the time is over.
    ///
    /// The thread waits with it, so the connection can do nothing else meanwhile.
    ///
    /// - Returns: what came, in order; empty when the time is over.
    func notifications(within patience: Duration) async throws(PostgresError) -> [Notification] {
        try await attended { () throws(PostgresError) in
            defer { self.dropIfUnusable() }
            guard let arrived = try self.raw?.notifications(until: .after(patience)) else { throw .closed }
            return arrived
        }
    }
}

extension RawConnection {
    fileprivate func notifications(until deadline: Deadline) throws(PostgresError) -> [Notification] {
        while true {
            let arrived = takeNotifications()
            guard arrived.isEmpty else { return arrived }
            if Task.isCancelled { throw .cancelled("LISTEN") }
            let awakening = wakeUp.wait(for: .reading, of: PQsocket(pointer), until: deadline)
            if awakening.isSocketReady {
                guard PQconsumeInput(pointer) == 1 else { throw RawConnection.lostWhileListening }
            } else if !awakening.isSignalled {
                return []
            }
        }
    }

    private func takeNotifications() -> [Notification] {
        var arrived: [Notification] = []
        while let notification = nextNotification() { arrived.append(notification) }
        return arrived
    }

    private static var lostWhileListening: PostgresError {
        PostgresError(
            .connectionLost, "The connection to PostgreSQL was lost while it listened.", statement: "LISTEN")
    }
}
