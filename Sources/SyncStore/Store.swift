import Migrations
import Postgres
import SyncCore

/// Everything that is asked of the database, besides migrations: the only room in which SQL stands.
///
/// One store is one session: its statements run one after the other, each a transaction of its own, so
/// no lock or snapshot outlives a statement.
public struct Store: Sendable {
    let session: Session
    /// The table that is synced, as the database knows it.
    public let source: SourceTable
    /// How long a claim is ours.
    let lease: Duration
    /// Who writes, for the log.
    let agent: String
    /// The newest schema that this program knows.
    let newestSchema: Int
    /// Made once from the mapping: the texts of the statements that read the source.
    let statements: SourceStatements

    public init(
        session: Session, source: SourceTable, lease: Duration = .seconds(60), agent: String,
        newestSchema: Int = Migration.newest
    ) {
        self.session = session
        self.source = source
        self.lease = lease
        self.agent = agent
        self.newestSchema = newestSchema
        statements = SourceStatements(source: source)
    }

    /// Checks schema and mapping, and makes a store of them.
    ///
    /// - Parameter migrations: those that the program knows.
    /// - Throws: what doesn't fit, with what to do about it.
    public static func open(
        _ session: Session, mapping: SourceMapping, lease: Duration, agent: String,
        migrations: [Migration] = Migration.all
    ) async throws(StoreError) -> Store {
        let migrator = Migrator(session: session, migrations: migrations)
        try await migrator.checkSchema()
        let source = try await SourceTable.find(mapping, in: session)
        return Store(
            session: session, source: source, lease: lease, agent: agent, newestSchema: migrator.newest)
    }

    /// How to reach the database it works on.
    public var connection: ConnectionSettings { session.settings }

    /// A store for the source as it is now, on the same session.
    public func reopened() async throws(StoreError) -> Store {
        let source = try await SourceTable.find(source.mapping, in: session)
        return Store(session: session, source: source, lease: lease, agent: agent, newestSchema: newestSchema)
    }

    /// The same store on a session of its own, whose statements wait for none of this one's.
    public func onSession(_ other: Session) -> Store {
        Store(session: other, source: source, lease: lease, agent: agent, newestSchema: newestSchema)
    }

    public func close() async { await session.close() }

    /// How often its session was connected anew after it had lost its connection.
    public var reconnects: Int { get async { await session.reconnects } }

    /// Whether the schema has been migrated, since this store was opened, to one that its program can't work with.
    ///
    /// - Returns: the refusal; `nil` where it can.
    public func outgrown() async throws(StoreError) -> StoreError? {
        guard let row = try await query(Migrator.newestApplied).first else { return nil }
        return Migrator.refusal(of: row, newest: newestSchema, upTo: newestSchema + Migrator.toleratedLead)
    }

    /// Whether capture never knocks on this server, because a transaction that has sent NOTIFY can't be prepared.
    public func allowsPreparedTransactions() async throws(StoreError) -> Bool {
        try await query(Store.allowsPreparedTransactions).first ?? false
    }

    static let allowsPreparedTransactions = Statement<Bool>(
        "allows_prepared_transactions", "SELECT current_setting('max_prepared_transactions') <> '0'"
    ) { row throws(PostgresError) in try row.boolean(0) }

    /// Runs a statement; what goes wrong is a `StoreError`.
    func query<Row>(_ statement: Statement<Row>, _ parameters: [Parameter] = []) async throws(StoreError) -> [Row] {
        do {
            return try await session.query(statement, parameters)
        } catch {
            throw StoreError(error)
        }
    }
}

/// The statements whose text depends on the mapping, made once.
struct SourceStatements: Sendable {
    let claim: Statement<ClaimRow>
    let look: Statement<Claim>
    let page: Statement<Claim>
    let canonicalKey: Statement<String>
    let resyncUsers: Statement<String>
    /// `nil`: no table is related.
    let expandRelated: Statement<Int>?
    let resumeAfterFit: Statement<Bool>
    let mark: Statement<Int>
    let forget: Statement<Forgetting>

    init(source: SourceTable) {
        let decoder = ClaimDecoder(source.mapping)
        claim = ClaimSQL.statement(for: source, decoder: decoder)
        look = LookSQL.one(source, decoder)
        page = LookSQL.page(source, decoder, filter: nil)
        canonicalKey = LookSQL.canonicalKey(source)
        resyncUsers = ResyncSQL.users(source)
        expandRelated = RelatedSQL.statement(for: source)
        resumeAfterFit = ControlSQL.resumeAfterFit(source)
        mark = InletSQL.mark(source)
        forget = ForgetSQL.statement(for: source)
    }
}
