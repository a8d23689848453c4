import Postgres
import SyncCore

/// How sweeps are done on one store.
public struct SweepSettings: Sendable, Hashable {
    /// Rows a second, over all agents of the database.
    public var rate: Int
    /// Rows a page, and so in one statement, which takes a millisecond for so many: whoever needs the processor meanwhile
    /// waits no longer.
    public var pageSize: Int

    public init(rate: Int, pageSize: Int = 200) {
        self.rate = rate
        self.pageSize = pageSize
    }
}

/// What one turn at a sweep came to.
public enum SweepTurn: Sendable, Hashable {
    /// Another agent has its hands on it just now.
    case taken
    /// Nothing is due for so long.
    case resting(Duration)
    /// One is under way, and its next page is due then.
    case waiting(Duration)
    case began(SweepReason)
    /// A page was compared, and so many users differed. The next one is due when the pause has passed.
    case compared(SweepReason, found: Int, pause: Duration)
    case ended(SweepReason, compared: Int, found: Int)
}

extension Store {
    /// Takes the next turn at a kind of sweep: looks how far it is, decides, and does one page at most.
    ///
    /// One short transaction, which holds the lock of the sweep's row and nothing that anybody waits for. Nor do others
    /// wait for the disk behind it, since it doesn't: after a crash of the server that forgot it, its page is taken again.
    ///
    /// - Parameter looksForBacklog: whether to count the changes that wait. While a transaction is open for long, that reads
    ///   all that were folded since it began, so it isn't done for each page.
    public func sweep(
        _ schedule: SweepSchedule, _ settings: SweepSettings, looksForBacklog: Bool = true
    ) async throws(StoreError) -> SweepTurn {
        let pages = SweepPages(source, schedule.kind, settings)
        let (agent, mark) = (agent, source.mappingMarkDigits)
        do {
            return try await session.transaction { connection throws(PostgresError) in
                _ = try connection.execute(Store.commitAtLeisure)
                let found = try connection.query(
                    Store.sweepState, [.text(schedule.kind.rawValue), .text(mark), .boolean(looksForBacklog)])
                guard let state = found.first else { return .taken }
                switch SweepStep(for: state, schedule: schedule) {
                case .rest(let wait): return .resting(wait)
                case .wait(let wait): return .waiting(wait)
                case .begin(let reason):
                    let begin = schedule.kind == .full ? Store.beginFullSweep : Store.beginRecentSweep
                    _ = try connection.execute(begin, [.text(reason.text)])
                    return .began(reason)
                case .page(let reason, let leg, let after):
                    let page = try pages.compare(leg, of: schedule.kind, after: after, on: connection, state)
                    return try pages.record(page, leg, of: schedule.kind, reason, agent: agent, on: connection)
                }
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// Asks for a full sweep.
    public func requestSweep(because reason: String) async throws(StoreError) {
        _ = try await query(Store.requestSweep, [.text(reason)])
    }

    /// Whether a sweep that was asked for has yet to begin.
    public func isSweepAsked(because reason: String) async throws(StoreError) -> Bool {
        try await query(Store.isSweepAsked, [.text(reason)]).first ?? false
    }

    /// Whether this role sees when the transactions of others began, without which a recent sweep could miss
    /// what they commit later.
    public func seesTransactions() async throws(StoreError) -> Bool {
        try await query(Store.seesTransactions).first ?? false
    }
}

/// The pages of sweeps, and what becomes of the sweep's row after one.
private struct SweepPages: Sendable {
    let source: Statement<SweepSQL.Page>
    let known: Statement<SweepSQL.Page>
    let recent: Statement<SweepSQL.Page>?
    let rate: Int
    let size: Int

    init(_ table: SourceTable, _ kind: SweepKind, _ settings: SweepSettings) {
        source = SweepSQL.sourcePage(table)
        known = SweepSQL.knownPage(table)
        recent = table.mapping.updatedAt.map { SweepSQL.recentPage(table, updatedAt: $0) }
        rate = max(1, settings.rate)
        // Where no index may lead to a page, all rows may be sorted for each.
        size = table.hasIndexedKey && kind == .full ? settings.pageSize : 5 * settings.pageSize
    }

    func compare(
        _ leg: SweepLeg, of kind: SweepKind, after key: String?, on connection: isolated Connection, _ state: SweepState
    ) throws(PostgresError) -> SweepSQL.Page {
        let limit = Parameter.bigint(Int64(size))
        switch (kind, leg) {
        case (.full, .source):
            let page = try connection.query(
                source, [.optionalText(key), limit, .boolean(!state.hasBaseline)])
            return page.first ?? .nothing
        case (.full, .known):
            return try connection.query(known, [.optionalText(key), limit]).first ?? .nothing
        case (.recent, _):
            guard let recent else { return .nothing }
            let bounds = try connection.query(Store.recentBounds).first
            let page = try connection.query(
                recent,
                [
                    .optionalText(key), limit, .boolean(false), .optionalText(bounds?.reached),
                    .text(bounds?.since ?? "-infinity"),
                ])
            return page.first ?? .nothing
        }
    }

    func record(
        _ page: SweepSQL.Page, _ leg: SweepLeg, of kind: SweepKind, _ reason: SweepReason, agent: String,
        on connection: isolated Connection
    ) throws(PostgresError) -> SweepTurn {
        let isFull = page.compared >= size
        let kindText = Parameter.text(kind.rawValue)
        let advance = SweepAdvance(kind: kind, leg: leg, lastKey: page.lastKey, isFull: isFull)
        let (next, reached): (SweepLeg, String?) =
            switch advance {
            case .next(let key): (leg, key)
            case .leg(let other): (other, nil)
            case .end: (leg, nil)
            }
        let pause = Int64(page.compared) * 1_000_000 / Int64(rate)
        // Everybody counts once, though both legs look at most users.
        let counted = leg == .source ? page.compared : 0
        _ = try connection.query(
            Store.advanceSweep,
            [
                kindText, .text(next.rawValue), .optionalText(reached), .optionalText(page.lastUpdatedAt),
                .bigint(Int64(counted)), .bigint(Int64(page.found)), .bigint(pause),
            ])
        guard advance == .end else {
            return .compared(reason, found: page.found, pause: .microseconds(pause))
        }
        let totals = try connection.query(
            Store.endSweep, [kindText, .boolean(reason.findsDrift), .boolean(reason != .poll), .text(agent)])
        let (compared, found) = totals.first ?? (page.compared, page.found)
        return .ended(reason, compared: compared, found: found)
    }
}

extension SweepSQL.Page {
    fileprivate static let nothing = SweepSQL.Page(compared: 0, found: 0, lastKey: nil, lastUpdatedAt: nil)
}
