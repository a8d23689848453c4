import Postgres
import SyncCore

extension Store {
    /// How many users one statement of a resync marks at most, so that none holds locks for long.
    public static let resyncPage = 2000

    /// Marks users due, those that were never seen included.
    ///
    /// - Parameters:
    ///   - users: at most `resyncPage` of them.
    ///   - isForced: push even where nothing changed.
    /// - Returns: the users that were marked; one that exists nowhere isn't among them.
    public func resync(_ users: [UserKey], isForced: Bool) async throws(StoreError) -> Set<UserKey> {
        let keys = try await query(
            statements.resyncUsers, [.textArray(users.map(\.text)), .boolean(isForced)])
        return Set(keys.map(UserKey.init))
    }

    /// Which of these references somebody else has already: another user who was admitted with it and isn't deleted.
    ///
    /// As admission judges it, for a whole page in one statement and without taking anybody.
    ///
    /// - Returns: an answer for each, in their order.
    public func references(
        _ users: [(user: UserKey, reference: Reference)]
    ) async throws(StoreError) -> [ReferenceHolding] {
        guard !users.isEmpty else { return [] }
        return try await query(
            Store.referenceHoldings, [.textArray(users.map(\.user.text)), .textArray(users.map(\.reference.text))])
    }

    /// LATERAL with a LIMIT, so that each is looked up by index however large the page is.
    static let referenceHoldings = Statement<ReferenceHolding>(
        "reference_holdings",
        """
        SELECT lower(btrim(a.reference)), other.is_there IS NOT NULL
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a(user_key, reference, position)
        LEFT JOIN LATERAL (
            SELECT true AS is_there FROM subscriber_sync.subscriber s
            WHERE lower(btrim(s.reference)) = lower(btrim(a.reference)) AND s.admitted_at IS NOT NULL
                AND s.user_key <> a.user_key COLLATE "C" AND s.standing <> 'deleted'
            LIMIT 1
        ) AS other ON true
        ORDER BY a.position
        """
    ) { row throws(PostgresError) in ReferenceHolding(folded: try row.text(0), isTaken: try row.boolean(1)) }

    /// Users that are rejected, retrying or held, in the order of their keys.
    public func failed(after key: UserKey?, limit: Int) async throws(StoreError) -> [UserKey] {
        try await query(Store.failed, [.optionalText(key?.text), .bigint(Int64(limit))]).map(UserKey.init)
    }

    static let failed = Statement<String>(
        "failed",
        """
        SELECT s.user_key FROM subscriber_sync.subscriber s
        WHERE s.standing IN ('rejected', 'held', 'retrying') AND ($1::text IS NULL OR s.user_key > $1::text)
        ORDER BY s.user_key LIMIT $2::bigint
        """
    ) { row throws(PostgresError) in try row.text(0) }

    /// The database's time, to tell later what came of a resync that begins now.
    public func clock() async throws(StoreError) -> String {
        guard let now = try await query(Store.clock).first else {
            throw StoreError(.database, "The database did not tell the time.")
        }
        return now
    }

    static let clock = Statement<String>("clock", "SELECT now()::text") { row throws(PostgresError) in try row.text(0) }

    /// How far a resync is.
    ///
    /// - Parameters:
    ///   - users: `nil`: everybody whom a resync marked.
    ///   - start: what `clock` said before anybody was marked; what was refused earlier isn't counted.
    public func progress(of users: [UserKey]?, since start: String) async throws(StoreError) -> ResyncProgress {
        let keys = users.map { Parameter.textArray($0.map(\.text)) } ?? .null
        return try await query(Store.progress, [keys, .text(start)]).first ?? ResyncProgress(waiting: 0, refused: 0)
    }

    static let progress = Statement<ResyncProgress>(
        "resync_progress",
        """
        SELECT count(*) FILTER (WHERE s.due_at IS NOT NULL),
            count(*) FILTER (WHERE s.due_at IS NULL AND s.standing IN ('rejected', 'held')
                AND s.last_attempt_at >= $2::text::timestamptz)
        FROM subscriber_sync.subscriber s
        WHERE ($1::text[] IS NULL AND s.priority = 1) OR s.user_key = ANY ($1::text[])
        """
    ) { row throws(PostgresError) in ResyncProgress(waiting: try row.integer(0), refused: try row.integer(1)) }

    /// Writes down that an operator asked for a resync, and wakes the agents.
    public func announceResync(of count: Int, isForced: Bool, selection: String) async throws(StoreError) {
        let text = "\(counted(count, "user")) by \(selection)\(isForced ? ", forced" : "")"
        _ = try await query(Store.announceResync, [.text(text), .text(agent)])
    }

    static let announceResync = Statement<Void>(
        "announce_resync",
        """
        WITH knocked AS (SELECT pg_notify('subscriber_sync', ''))
        INSERT INTO subscriber_sync.log (outcome, error, agent) SELECT 'resync', $1, $2 FROM knocked
        """)
}

/// How far a resync is.
public struct ResyncProgress: Sendable, Hashable {
    /// Due, in flight, or waiting for a later attempt.
    public let waiting: Int
    /// Rejected or held.
    public let refused: Int

    public init(waiting: Int, refused: Int) {
        self.waiting = waiting
        self.refused = refused
    }
}

/// A user's reference beside those of all others.
public struct ReferenceHolding: Sendable, Hashable {
    /// As two references are compared: trimmed and without case.
    public let folded: String
    /// Whether another user has it.
    public let isTaken: Bool
}

/// The statement of a resync that depends on the mapping.
enum ResyncSQL {
    /// Rows are locked in the order of their keys, and briefly: it can wait for a claim, not a claim for it.
    static func users(_ source: SourceTable) -> Statement<String> {
        Statement(
            "resync_users",
            """
            WITH asked AS MATERIALIZED (
                SELECT DISTINCT k COLLATE "C" AS user_key FROM unnest($1::text[]) AS given(k)
            ),
            there AS MATERIALIZED (
                SELECT a.user_key FROM asked a
                WHERE EXISTS (SELECT FROM subscriber_sync.subscriber s WHERE s.user_key = a.user_key)
                    OR EXISTS (
                        SELECT FROM \(source.name.quoted) AS src
                        WHERE \(source.isRow(ofKey: "a.user_key", in: "src")))
            )
            INSERT INTO subscriber_sync.subscriber AS s (user_key, due_at, priority, doubted_until)
            SELECT t.user_key, now(), 1, CASE WHEN $2::boolean THEN now() END FROM there t ORDER BY t.user_key
            ON CONFLICT (user_key) DO UPDATE SET
                wanted = s.wanted + 1,
                -- A change that waits already stays in front.
                priority = CASE WHEN s.due_at IS NOT NULL AND s.priority = 0 THEN 0 ELSE 1 END,
                due_at = CASE WHEN s.lease IS NOT NULL AND s.due_at > now() THEN s.due_at ELSE least(s.due_at, now()) END,
                doubted_until = CASE WHEN $2::boolean THEN greatest(s.doubted_until, now()) ELSE s.doubted_until END
            RETURNING s.user_key
            """
        ) { row throws(PostgresError) in try row.text(0) }
    }
}
