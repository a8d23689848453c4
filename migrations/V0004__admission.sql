-- Admission: whether a call that may create a subscriber, which is billed, may be made.
--
-- The lock makes admissions one after the other over all agents, so neither two users with one
-- reference nor one user too many can slip through; each statement after it sees what the admission
-- before it committed. Nothing else waits for this lock, and no row lock is held while waiting for
-- it. It is taken only for users SignalWire doesn't know yet.
--
-- keys, leases, refs: the claims, by position. most: new subscribers per 24 hours, -1 for any number.
CREATE FUNCTION subscriber_sync.admit(keys text[], leases bigint[], refs text[], most integer)
RETURNS TABLE (user_key text, verdict text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    free bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1937072755, 2);

    -- How many more may be created.
    IF most >= 0 THEN
        SELECT most - count(*) INTO free FROM subscriber_sync.subscriber
        WHERE admitted_at > now() - interval '24 hours';
    END IF;

    RETURN QUERY
    WITH asked AS (
        SELECT k AS user_key, l AS lease, r AS reference, lower(btrim(r)) AS folded
        FROM unnest(keys, leases, refs) AS given(k, l, r)
    ),
    -- Locked in the order of user_key, as everywhere.
    held AS (
        SELECT a.user_key, a.reference, a.folded,
            s.admitted_at IS NOT NULL AND s.reference = a.reference AS is_known,
            s.admitted_at > now() - interval '24 hours' AS is_counted,
            s.subscriber_id IS NOT NULL AS has_subscriber
        FROM asked a JOIN subscriber_sync.subscriber s ON s.user_key = a.user_key COLLATE "C" AND s.lease = a.lease
        ORDER BY a.user_key COLLATE "C"
        FOR UPDATE OF s
    ),
    judged AS (
        SELECT h.*,
            EXISTS (
                SELECT FROM subscriber_sync.subscriber other
                WHERE lower(btrim(other.reference)) = h.folded AND other.admitted_at IS NOT NULL
                    AND other.user_key <> h.user_key COLLATE "C" AND other.standing <> 'deleted'
            ) OR EXISTS (
                SELECT FROM held earlier
                WHERE earlier.folded = h.folded AND earlier.user_key COLLATE "C" < h.user_key COLLATE "C"
            ) AS is_duplicate,
            -- Already paid for: the subscriber is there, the call was counted and then interrupted, or a
            -- deleted user leaves the subscriber behind (a user whose key changed, or who came back under another).
            h.is_known AND (h.has_subscriber OR h.is_counted) OR EXISTS (
                SELECT FROM subscriber_sync.subscriber p
                WHERE lower(btrim(p.reference)) = h.folded AND p.admitted_at IS NOT NULL AND p.reference = h.reference
                    AND p.user_key <> h.user_key COLLATE "C" AND p.subscriber_id IS NOT NULL AND p.standing = 'deleted'
            ) AS is_free
        FROM held h
    ),
    ranked AS (
        SELECT j.*, row_number() OVER (
            PARTITION BY j.is_duplicate, j.is_free ORDER BY j.user_key COLLATE "C") AS rank
        FROM judged j
    ),
    decided AS (
        SELECT r.*, CASE
            WHEN r.is_duplicate THEN 'duplicate'
            WHEN r.is_free OR free IS NULL OR r.rank <= free THEN 'admitted'
            ELSE 'over_limit'
        END AS verdict
        FROM ranked r
    ),
    -- Deleted users had the reference before: their subscriber has what was sent for them, and calls for
    -- them may still land.
    inherited AS (
        SELECT d.user_key, max(p.doubted_until) AS doubted_until,
            coalesce(jsonb_object_agg(field.name, NULL::text) FILTER (WHERE field.name IS NOT NULL), '{}') AS fields
        FROM decided d
        JOIN subscriber_sync.subscriber p ON lower(btrim(p.reference)) = d.folded AND p.admitted_at IS NOT NULL
            AND p.user_key <> d.user_key COLLATE "C"
        LEFT JOIN LATERAL jsonb_object_keys(p.told) AS field(name) ON true
        WHERE d.verdict = 'admitted'
        GROUP BY d.user_key
    ),
    -- What is known of the subscriber that is about to be called. Another reference is another subscriber:
    -- nothing of the old one holds.
    known AS (
        SELECT d.user_key, d.reference, d.is_free, i.doubted_until, coalesce(i.fields, '{}') AS fields,
            CASE WHEN d.is_known OR s.admitted_at IS NULL THEN s.told ELSE '{}' END AS told,
            CASE WHEN d.is_known OR s.admitted_at IS NULL THEN s.subscriber_id END AS subscriber_id
        FROM decided d
        JOIN subscriber_sync.subscriber s ON s.user_key = d.user_key COLLATE "C"
        LEFT JOIN inherited i ON i.user_key = d.user_key
        WHERE d.verdict = 'admitted'
    ),
    written AS (
        UPDATE subscriber_sync.subscriber s
        SET reference = k.reference,
            -- Counted for 24 hours from here, unless it costs nothing.
            admitted_at = CASE
                WHEN NOT k.is_free THEN now()
                ELSE coalesce(s.admitted_at, now() - interval '24 hours')
            END,
            -- From here on the reference is taken, before the call is settled.
            standing = CASE s.standing WHEN 'deleted' THEN 'unsynced' ELSE s.standing END,
            subscriber_id = k.subscriber_id,
            told = k.fields || k.told,
            doubted_until = greatest(s.doubted_until, k.doubted_until),
            -- The push that asks was planned without the inheritance, so the user is wanted once more.
            wanted = s.wanted + CASE WHEN k.fields = '{}' THEN 0 ELSE 1 END
        FROM known k
        WHERE s.user_key = k.user_key COLLATE "C"
        RETURNING 1
    )
    SELECT a.user_key, coalesce(d.verdict, 'lease_lost')
    FROM asked a LEFT JOIN decided d ON d.user_key = a.user_key
    WHERE (SELECT count(*) FROM written) >= 0;
END
$$;

REVOKE ALL ON FUNCTION subscriber_sync.admit(text[], bigint[], text[], integer) FROM PUBLIC;
