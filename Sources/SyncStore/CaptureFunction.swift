import Postgres

/// One of the two functions that most triggers call. `migrate` makes them, because the name of the key stands in them.
///
/// They append the key and perhaps knock, and are made to cost little:
///
/// - No `SET search_path`: it would save, set and restore a setting around each call. Instead every function, type
///   and operator in them is qualified. So no `IS DISTINCT FROM`, no `IN`, no `CASE x WHEN`: they look `=` up.
/// - `NEW."id"`, not `to_jsonb(NEW)`: making JSON of the row was the largest part of the price, grew with the row, and
///   failed beyond 256 MB of text.
/// - `concat` turns the key into text by the type's own output function, never by a cast that somebody has made, which
///   would run with our rights.
/// - The inner block: where the key has another name by now, reading it is an error; then the row is appended without
///   a key. It holds only the reading, so its subtransaction never gets an id of its own and writes nothing.
/// - `subscriber_sync.knocked` is set for the transaction by who knocked, so the other rows of a bulk statement pay
///   neither for the lock nor for the NOTIFY. ROLLBACK TO SAVEPOINT undoes it exactly where it undoes the NOTIFY. Who
///   didn't get the lock tries again with each row, so that the last rows of a long transaction are announced.
/// - Why the lock, and when nobody knocks: see `capture()` in `migrations/`.
struct CaptureFunction: Sendable, Hashable {
    /// Which of the two rows it reads.
    enum Row: String, Sendable, CaseIterable {
        case new
        case old
    }

    let row: Row
    let key: String
    let isKeyPadded: Bool
    let notification: CaptureDefinition.Notification

    var name: String { "capture_\(row.rawValue)" }

    /// The statements that make it.
    var statements: [String] {
        [
            """
            CREATE OR REPLACE FUNCTION subscriber_sync.\(name)() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER
            AS \(body.contains("$$") ? quoteLiteral(body) : "$$\(body)$$")
            """,
            "REVOKE ALL ON FUNCTION subscriber_sync.\(name)() FROM PUBLIC",
        ]
    }

    var body: String {
        """

        #variable_conflict use_variable
        DECLARE
            key pg_catalog.text;
        BEGIN
            BEGIN
                key := \(reading);
            EXCEPTION WHEN OTHERS THEN
                key := NULL;
            END;
            INSERT INTO subscriber_sync.change (user_key) VALUES (key);
        \(notification == .guarded ? knock : "")    RETURN NULL;
        END

        """
    }

    private var reading: String {
        let text = "pg_catalog.concat(\(row.rawValue.uppercased()).\(quoteIdentifier(key)))"
        return isKeyPadded ? "pg_catalog.rtrim(\(text))" : text
    }

    /// The setting first, because it is the cheapest; the server's setting before the lock, because a prepared
    /// transaction would keep the lock.
    private var knock: String {
        """
            IF pg_catalog.current_setting('subscriber_sync.knocked', true) OPERATOR(pg_catalog.=) '1' THEN
                RETURN NULL;
            END IF;
            IF pg_catalog.current_setting('max_prepared_transactions') OPERATOR(pg_catalog.=) '0'
                AND pg_catalog.pg_try_advisory_xact_lock(1937072755, 1)
                AND pg_catalog.pg_notification_queue_usage() OPERATOR(pg_catalog.<) 0.5::pg_catalog.float8
            THEN
                PERFORM pg_catalog.pg_notify('subscriber_sync', ''),
                    pg_catalog.set_config('subscriber_sync.knocked', '1', true);
            END IF;

        """
    }
}
