import Postgres
import Synchronization

/// The application: it writes on a connection of its own, and holds transactions open on others.
///
/// Its connections are its own matter: what is lost with one is lost. But no write of it may fail because of us (I2).
final class Application: Sendable {
    private struct Figures {
        var done: [Write.Kind: Int] = [:]
        var lost = 0
        var failures: [String] = []
    }

    /// Our eyes, after the trouble; and what strikes do with the database.
    let session: Session
    private let writing: Session
    private let slow: [Session]
    private let figures = Mutex(Figures())

    init(dsn: String) {
        let settings = ConnectionSettings(dsn: dsn, applicationName: "application")
        session = Session(settings)
        writing = Session(settings)
        slow = (0..<3).map { _ in Session(settings) }
    }

    var done: [Write.Kind: Int] { figures.withLock(\.done) }
    var lost: Int { figures.withLock(\.lost) }
    var failures: [String] { figures.withLock(\.failures) }

    func perform(_ write: Write) async { await perform(write, on: writing) }

    /// Performs the writes, each at its time; those that take long, beside the others.
    func perform(_ writes: [ChaosPlan.Timed<Write>], from start: ContinuousClock.Instant) async {
        await withDiscardingTaskGroup { group in
            var next = 0
            for write in writes {
                guard (try? await Task.sleep(until: start + write.at)) != nil else { return }
                guard write.what.isSlow else {
                    await perform(write.what, on: writing)
                    continue
                }
                let session = slow[next % slow.count]
                next += 1
                group.addTask { await self.perform(write.what, on: session) }
            }
        }
    }

    private func perform(_ write: Write, on session: Session) async {
        do {
            try await session.executeScript(write.sql, name: write.kind.rawValue)
            figures.withLock { $0.done[write.kind, default: 0] += 1 }
        } catch {
            // Not a burst of writes that are lost while nobody answers.
            if error.isConnectionLoss { try? await Task.sleep(for: .milliseconds(100)) }
            figures.withLock { figures in
                if error.isConnectionLoss || error.sqlState?.hasPrefix("57P") == true {
                    figures.lost += 1
                } else {
                    figures.failures.append("\(write.kind): \(error.sqlState ?? "") \(error.message)")
                }
            }
        }
    }

    // MARK: For the program itself

    /// Runs SQL; once more, and on a new connection, where the old one was lost.
    func run(_ sql: String) async throws {
        do {
            try await session.executeScript(sql, name: "chaos")
        } catch  where error.isConnectionLoss {
            try await session.executeScript(sql, name: "chaos")
        }
    }

    /// The rows of a query, as text; asked again in the same way.
    func rows(_ sql: String, columns: Int) async throws -> [[String?]] {
        let statement = Statement<[String?]>("chaos", sql) { row throws(PostgresError) in
            var texts: [String?] = []
            for column in 0..<columns { texts.append(try row.optionalText(column)) }
            return texts
        }
        do {
            return try await session.query(statement)
        } catch  where error.isConnectionLoss {
            return try await session.query(statement)
        }
    }

    func close() async {
        for session in [session, writing] + slow { await session.close() }
    }
}
