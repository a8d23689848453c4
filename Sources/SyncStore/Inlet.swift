import Postgres
import SyncCore

/// What became of a message that names changed users.
public enum MessageReceipt: Sendable, Hashable {
    /// Those of them who exist are in `change` now, as if a trigger had told.
    case marked(Int)
    /// The message was taken before; nothing was done.
    case replayed
    /// One of the keys isn't of the key column's type; nothing was done.
    case invalidKey
}

extension Store {
    /// Marks users as changed because a message says so, once for each message, whichever agents it comes to.
    ///
    /// - Parameter message: what tells it from every other message.
    public func mark(_ users: [UserKey], message: String) async throws(StoreError) -> MessageReceipt {
        do {
            let parameters: [Parameter] = [.text(message), .textArray(users.map(\.text))]
            guard let count = try await session.query(statements.mark, parameters).first else { return .replayed }
            return count < 0 ? .replayed : .marked(count)
        } catch {
            if error.sqlState?.hasPrefix("22") == true { return .invalidKey }
            throw StoreError(error)
        }
    }

    /// Forgets messages that are too old to be replayed, a bounded number at a time.
    ///
    /// - Returns: how many.
    public func pruneMessages() async throws(StoreError) -> Int {
        try await query(Store.pruneMessages).first ?? 0
    }

    /// The webhook refuses what is older than five minutes by its agent's clock; an hour forgives clocks that differ.
    static let pruneMessages = Statement<Int>(
        "prune_messages",
        """
        WITH gone AS (
            DELETE FROM subscriber_sync.webhook_message WHERE id = ANY (ARRAY(
                SELECT id FROM subscriber_sync.webhook_message WHERE received_at < now() - interval '1 hour'
                ORDER BY received_at LIMIT \(prunePage) FOR UPDATE SKIP LOCKED))
            RETURNING 1
        )
        SELECT count(*) FROM gone
        """
    ) { row throws(PostgresError) in try row.integer(0) }
}

/// The statement that takes a message.
///
/// **Why a replay changes nothing.** The message's row and its changes are one transaction. Two agents that are given
/// one message at the same time meet at the primary key: the second waits until the first has committed, and finds it.
///
/// **Why it can't deadlock.** It waits for that one row and holds no other; `change` has no key to wait for.
enum InletSQL {
    /// Parameters: $1 the message, $2 the keys as they were written. The answer: how many users were marked; -1 for a
    /// replay. Who is neither in the source nor known is left alone: there is nobody to push, and nothing would end
    /// the rows of users who never were.
    static func mark(_ source: SourceTable) -> Statement<Int> {
        Statement(
            "mark",
            """
            WITH asked AS MATERIALIZED (
                SELECT given.k, (\(source.keyType.value(of: "given.k")))::text COLLATE "C" AS user_key
                FROM unnest($2::text[]) AS given(k)
            ),
            -- As the database prints it, and as the row has it where a type has several texts for one key.
            meant AS MATERIALIZED (
                SELECT DISTINCT coalesce(src.user_key, a.user_key) AS user_key FROM asked a
                LEFT JOIN LATERAL (
                    SELECT \(quoteIdentifier(source.mapping.key))::text COLLATE "C" AS user_key FROM \(source.name.quoted)
                    WHERE \(source.equalsKey("a.k"))
                    LIMIT 1
                ) AS src ON true
                WHERE src.user_key IS NOT NULL
                    OR EXISTS (SELECT FROM subscriber_sync.subscriber s WHERE s.user_key = a.user_key)
            ),
            taken AS (
                INSERT INTO subscriber_sync.webhook_message (id) VALUES ($1::text)
                ON CONFLICT (id) DO NOTHING RETURNING id
            ),
            appended AS (
                INSERT INTO subscriber_sync.change (user_key) SELECT m.user_key FROM meant m, taken RETURNING user_key
            ),
            -- As the triggers knock.
            knocked AS (
                SELECT pg_notify('subscriber_sync', '') FROM taken
                WHERE current_setting('max_prepared_transactions') = '0'
                    AND pg_try_advisory_xact_lock(1937072755, 1) AND pg_notification_queue_usage() < 0.5
            )
            SELECT CASE WHEN EXISTS (SELECT FROM taken) THEN (SELECT count(*) FROM appended) ELSE -1 END
            WHERE (SELECT count(*) FROM knocked) >= 0
            """
        ) { row throws(PostgresError) in try row.integer(0) }
    }
}
