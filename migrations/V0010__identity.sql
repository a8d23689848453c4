-- Who is who, which mapping is used, and who was told of by the webhook. One migration, as of each release.

-- Pairs

-- Which user had which reference, and so which subscriber, before the one of now.
--
-- The pair of now stands in `subscriber`. One that was left is kept here, so that a user who returns to a reference
-- returns to its subscriber, and whoever takes a reference over knows what its subscriber was sent.
CREATE TABLE subscriber_sync.pair (
    user_key text COLLATE "C" NOT NULL,
    reference text NOT NULL,
    -- NULL: no call was ever answered.
    subscriber_id uuid,
    -- When the call that may have created the subscriber was admitted: the cost brake counts it on.
    admitted_at timestamptz NOT NULL,
    -- From when until when the reference was this user's.
    since timestamptz NOT NULL,
    until timestamptz NOT NULL DEFAULT now(),
    -- The names of the fields that were sent, never values.
    fields text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (user_key, reference)
);

-- Whose a reference was: looked up before it becomes somebody's.
CREATE INDEX pair_reference ON subscriber_sync.pair (lower(btrim(reference)));

-- The cost brake counts admissions of the last 24 hours.
CREATE INDEX pair_admitted ON subscriber_sync.pair (admitted_at);

COMMENT ON TABLE subscriber_sync.pair IS 'References that users had before, with their subscribers';

ALTER TABLE subscriber_sync.subscriber
    -- Since when the reference is this user's. NULL: it isn't, or from before this column.
    ADD COLUMN reference_since timestamptz,
    -- The one that an operator has taken in its place, until it is admitted. Another one is held as before.
    ADD COLUMN accepted_reference text;

-- Who waits for a reference that somebody else has.
CREATE INDEX subscriber_duplicate ON subscriber_sync.subscriber (lower(btrim(reference)))
    WHERE standing = 'held' AND last_error_code = 'duplicate_reference';

-- Moves the pairs of these users to the history: from then on they have neither reference nor subscriber, and may be
-- admitted anew. The caller has locked their rows, in the order of user_key.
--
-- Whoever waits for one of the references, the first by key, is due. SKIP LOCKED: it waits for nobody; whom it can't
-- have, the agents' housekeeping releases.
CREATE FUNCTION subscriber_sync.retire(keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Of one user: the oldest are dropped. A return to one of those counts as new.
    most CONSTANT integer := 20;
    gone text[];
BEGIN
    WITH retired AS (
        INSERT INTO subscriber_sync.pair AS p (user_key, reference, subscriber_id, admitted_at, since, fields)
        SELECT s.user_key, s.reference, s.subscriber_id, s.admitted_at, coalesce(s.reference_since, s.admitted_at),
            ARRAY(SELECT t.name FROM jsonb_object_keys(s.told) AS t(name) ORDER BY t.name)
        FROM subscriber_sync.subscriber s
        WHERE s.user_key = ANY (keys) AND s.admitted_at IS NOT NULL AND s.reference IS NOT NULL
        ON CONFLICT (user_key, reference) DO UPDATE SET
            subscriber_id = coalesce(excluded.subscriber_id, p.subscriber_id), admitted_at = excluded.admitted_at,
            since = excluded.since, until = excluded.until, fields = excluded.fields
        RETURNING lower(btrim(reference)) AS folded
    )
    SELECT array_agg(r.folded) INTO gone FROM retired r;
    IF gone IS NULL THEN
        RETURN;
    END IF;

    DELETE FROM subscriber_sync.pair p USING (
        SELECT k.user_key, k.reference, row_number() OVER (PARTITION BY k.user_key ORDER BY k.until DESC) AS age
        FROM subscriber_sync.pair k WHERE k.user_key = ANY (keys)
    ) AS aged
    WHERE p.user_key = aged.user_key AND p.reference = aged.reference AND aged.age > most;

    UPDATE subscriber_sync.subscriber s
    SET reference = NULL, subscriber_id = NULL, admitted_at = NULL, reference_since = NULL, told = '{}'
    WHERE s.user_key = ANY (keys) AND s.admitted_at IS NOT NULL;

    PERFORM subscriber_sync.release_duplicates(gone, keys);
END
$$;

REVOKE ALL ON FUNCTION subscriber_sync.retire(text[]) FROM PUBLIC;

-- Makes due whoever waits for one of these references (compared trimmed and without case), the first by key, and wakes
-- the agents. Admission decides then.
--
-- besides: users who are left alone, because they are worked on.
CREATE FUNCTION subscriber_sync.release_duplicates(folded text[], besides text[]) RETURNS integer
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
    WITH waiting AS MATERIALIZED (
        SELECT s.user_key FROM (SELECT DISTINCT f FROM unnest(folded) AS f) AS gone
        CROSS JOIN LATERAL (
            SELECT s.user_key FROM subscriber_sync.subscriber s
            WHERE lower(btrim(s.reference)) = gone.f AND s.standing = 'held'
                AND s.last_error_code = 'duplicate_reference' AND s.due_at IS NULL AND s.user_key <> ALL (besides)
            ORDER BY s.user_key LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS s
    ),
    released AS (
        UPDATE subscriber_sync.subscriber s SET due_at = now(), wanted = s.wanted + 1
        WHERE s.user_key = ANY (ARRAY(SELECT w.user_key FROM waiting w))
        RETURNING s.user_key
    ),
    knocked AS (SELECT pg_notify('subscriber_sync', '') FROM (SELECT FROM released LIMIT 1) AS one)
    SELECT (SELECT count(*) FROM released)::integer WHERE (SELECT count(*) FROM knocked) >= 0
$$;

REVOKE ALL ON FUNCTION subscriber_sync.release_duplicates(text[], text[]) FROM PUBLIC;

-- Admission, as before, and with the history of pairs.
--
-- Whoever asks for another reference than the one they have leaves that one, whatever the answer: so two users who
-- swap theirs don't wait for each other. A deleted user's goes to whoever asks for it. So a reference is one user's at
-- most, and everybody else that ever had it has it in the history.
--
-- It can't deadlock: all rows that it may write are locked first, in the order of user_key. Which these are can't
-- change meanwhile, since a reference becomes somebody's only in here.
--
-- With the rights of its owner, so that an agent of the version before, whose role knows nothing of pairs, goes on. OFFSET 0
-- keeps each reference looked up by index.
CREATE OR REPLACE FUNCTION subscriber_sync.admit(keys text[], leases bigint[], refs text[], most integer)
RETURNS TABLE (user_key text, verdict text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    free bigint;
    leaving text[];
BEGIN
    PERFORM pg_advisory_xact_lock(1937072755, 2);

    PERFORM FROM subscriber_sync.subscriber s
    WHERE s.user_key = ANY (ARRAY(
        SELECT k COLLATE "C" FROM unnest(keys) AS k
        UNION
        SELECT o.user_key FROM unnest(refs) AS r CROSS JOIN LATERAL (
            SELECT o.user_key FROM subscriber_sync.subscriber o
            WHERE lower(btrim(o.reference)) = lower(btrim(r)) AND o.admitted_at IS NOT NULL
            OFFSET 0
        ) AS o
    ))
    ORDER BY s.user_key FOR UPDATE;

    WITH asked AS (
        SELECT s.user_key, s.reference AS has, a.r AS wants, s.admitted_at
        FROM unnest(keys, leases, refs) AS a(k, l, r)
        JOIN subscriber_sync.subscriber s ON s.user_key = a.k COLLATE "C" AND s.lease = a.l
    )
    SELECT array_agg(l.user_key) INTO leaving FROM (
        SELECT a.user_key FROM asked a WHERE a.admitted_at IS NOT NULL AND a.has <> a.wants
        UNION
        SELECT o.user_key FROM asked a CROSS JOIN LATERAL (
            SELECT o.user_key FROM subscriber_sync.subscriber o
            WHERE lower(btrim(o.reference)) = lower(btrim(a.wants)) AND o.admitted_at IS NOT NULL
                AND o.user_key <> a.user_key AND o.standing = 'deleted'
            OFFSET 0
        ) AS o
    ) AS l;
    IF leaving IS NOT NULL THEN
        PERFORM subscriber_sync.retire(leaving);
    END IF;

    -- How many more may be created.
    IF most >= 0 THEN
        SELECT most - subscriber_sync.admitted_lately() INTO free;
    END IF;

    RETURN QUERY
    WITH asked AS (
        SELECT k AS user_key, l AS lease, r AS reference, lower(btrim(r)) AS folded
        FROM unnest(keys, leases, refs) AS given(k, l, r)
    ),
    -- Locked above. Whoever is admitted still has the reference that is asked for; the others have left theirs.
    held AS (
        SELECT a.user_key, a.reference, a.folded, s.told, s.subscriber_id, s.admitted_at,
            s.admitted_at > now() - interval '24 hours' AS is_counted
        FROM asked a JOIN subscriber_sync.subscriber s ON s.user_key = a.user_key COLLATE "C" AND s.lease = a.lease
    ),
    judged AS (
        SELECT h.*,
            EXISTS (
                SELECT FROM subscriber_sync.subscriber other
                WHERE lower(btrim(other.reference)) = h.folded AND other.admitted_at IS NOT NULL
                    AND other.user_key <> h.user_key COLLATE "C"
            ) OR EXISTS (
                -- Whoever has it goes before those who ask for it.
                SELECT FROM held earlier
                WHERE earlier.folded = h.folded AND (earlier.admitted_at IS NULL, earlier.user_key COLLATE "C")
                    < (h.admitted_at IS NULL, h.user_key COLLATE "C")
            ) AS is_duplicate,
            -- Already paid for: the subscriber is there, or the call was counted and then interrupted. By this user or
            -- another, who has left it since.
            coalesce(h.subscriber_id IS NOT NULL OR h.is_counted, false) OR EXISTS (
                SELECT FROM subscriber_sync.pair p
                WHERE lower(btrim(p.reference)) = h.folded AND p.reference = h.reference
                    AND (p.subscriber_id IS NOT NULL OR p.admitted_at > now() - interval '24 hours')
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
    -- Whoever had the reference before, this user too: its subscriber has what was sent then, and calls made for
    -- them may still land.
    inherited AS (
        SELECT d.user_key, max(s.doubted_until) AS doubted_until,
            coalesce(jsonb_object_agg(field.name, NULL::text) FILTER (WHERE field.name IS NOT NULL), '{}') AS fields
        FROM decided d
        JOIN subscriber_sync.pair p ON lower(btrim(p.reference)) = d.folded
        LEFT JOIN subscriber_sync.subscriber s ON s.user_key = p.user_key
        LEFT JOIN LATERAL unnest(p.fields) AS field(name) ON true
        WHERE d.verdict = 'admitted'
        GROUP BY d.user_key
    ),
    known AS (
        SELECT d.user_key, d.reference, d.is_free, d.admitted_at IS NOT NULL AS is_known, i.doubted_until,
            coalesce(i.fields, '{}') AS fields, own.subscriber_id AS own_subscriber_id, own.admitted_at AS own_admitted_at
        FROM decided d
        LEFT JOIN inherited i ON i.user_key = d.user_key
        LEFT JOIN subscriber_sync.pair own ON own.user_key = d.user_key COLLATE "C" AND own.reference = d.reference
        WHERE d.verdict = 'admitted'
    ),
    -- Back from the history.
    resumed AS (
        DELETE FROM subscriber_sync.pair p USING known k
        WHERE p.user_key = k.user_key COLLATE "C" AND p.reference = k.reference
        RETURNING 1
    ),
    written AS (
        UPDATE subscriber_sync.subscriber s
        SET reference = k.reference,
            reference_since = CASE WHEN k.is_known THEN s.reference_since ELSE now() END,
            accepted_reference = NULL,
            -- Counted for 24 hours from here, unless it costs nothing.
            admitted_at = CASE
                WHEN NOT k.is_free THEN now()
                ELSE coalesce(s.admitted_at, k.own_admitted_at, now() - interval '24 hours')
            END,
            -- From here on the reference is taken, before the call is settled.
            standing = CASE s.standing WHEN 'deleted' THEN 'unsynced' ELSE s.standing END,
            subscriber_id = coalesce(s.subscriber_id, k.own_subscriber_id),
            told = k.fields || s.told,
            doubted_until = greatest(s.doubted_until, k.doubted_until),
            -- The push that asks was planned without the inheritance, so the user is wanted once more.
            wanted = s.wanted + CASE WHEN k.fields = '{}' THEN 0 ELSE 1 END
        FROM known k
        WHERE s.user_key = k.user_key COLLATE "C"
        RETURNING 1
    ),
    -- Who has left a reference and may not have the other one yet, wants it all the same.
    noted AS (
        UPDATE subscriber_sync.subscriber s SET reference = d.reference
        FROM decided d
        WHERE s.user_key = d.user_key COLLATE "C" AND d.verdict <> 'admitted' AND s.admitted_at IS NULL
        RETURNING 1
    )
    SELECT a.user_key, coalesce(d.verdict, 'lease_lost')
    FROM asked a LEFT JOIN decided d ON d.user_key = a.user_key
    WHERE (SELECT count(*) FROM written) + (SELECT count(*) FROM noted) + (SELECT count(*) FROM resumed) >= 0;
END
$$;

-- How many subscribers may have been created within the last 24 hours: what limits.new_subscribers limits.
CREATE FUNCTION subscriber_sync.admitted_lately() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (SELECT count(*) FROM subscriber_sync.subscriber s WHERE s.admitted_at > now() - interval '24 hours')
        + (SELECT count(*) FROM subscriber_sync.pair p WHERE p.admitted_at > now() - interval '24 hours')
$$;

REVOKE ALL ON FUNCTION subscriber_sync.admitted_lately() FROM PUBLIC;

-- As before, but for new_subscribers_24h, which counts as admission does.
CREATE OR REPLACE VIEW subscriber_sync.status AS
WITH by_status AS (
    SELECT status, count(*) AS users FROM subscriber_sync.subscriber GROUP BY status
),
counted AS (
    SELECT
        coalesce(sum(users), 0)::bigint AS users,
        coalesce(sum(users) FILTER (WHERE status = 'unsynced'), 0)::bigint AS unsynced,
        coalesce(sum(users) FILTER (WHERE status = 'pending'), 0)::bigint AS pending,
        coalesce(sum(users) FILTER (WHERE status = 'in_flight'), 0)::bigint AS in_flight,
        coalesce(sum(users) FILTER (WHERE status = 'retrying'), 0)::bigint AS retrying,
        coalesce(sum(users) FILTER (WHERE status = 'synced'), 0)::bigint AS synced,
        coalesce(sum(users) FILTER (WHERE status = 'rejected'), 0)::bigint AS rejected,
        coalesce(sum(users) FILTER (WHERE status = 'held'), 0)::bigint AS held,
        coalesce(sum(users) FILTER (WHERE status = 'out_of_scope'), 0)::bigint AS out_of_scope,
        coalesce(sum(users) FILTER (WHERE status = 'deleted'), 0)::bigint AS deleted
    FROM by_status
),
waiting AS (
    SELECT count(*) FILTER (WHERE user_key IS NOT NULL) AS changes,
        count(*) FILTER (WHERE user_key IS NULL) AS changes_without_key,
        min(changed_at) FILTER (WHERE user_key IS NOT NULL) AS oldest
    FROM subscriber_sync.change
),
due AS (
    SELECT min(changed_at) AS oldest FROM subscriber_sync.subscriber WHERE due_at IS NOT NULL AND priority = 0
),
recent AS (
    SELECT count(*) AS accepted FROM subscriber_sync.log
    WHERE at > now() - interval '1 minute' AND outcome IN ('accepted', 'subscriber_id_changed')
),
alive AS (
    SELECT count(*) AS agents, count(*) FILTER (WHERE wake_up = 'notify') AS listening,
        max(wake_up_reason) FILTER (WHERE wake_up <> 'notify') AS polling_reason,
        max(capture_trouble) AS capture_trouble
    FROM subscriber_sync.agent WHERE seen_at > now() - interval '45 seconds'
)
SELECT counted.*,
    -- Changes that no agent has looked at yet, and those that name no user.
    waiting.changes AS change_backlog,
    waiting.changes_without_key,
    -- The oldest change that SignalWire doesn't know.
    least(waiting.oldest, due.oldest) AS oldest_unsynced_at,
    CASE WHEN least(waiting.oldest, due.oldest) IS NOT NULL
        THEN greatest(0, extract(epoch FROM now() - least(waiting.oldest, due.oldest)))::double precision
    END AS lag_seconds,
    recent.accepted AS accepted_last_minute,
    -- At the rate of the last minute. NULL while nothing moves.
    CASE WHEN recent.accepted > 0
        THEN (waiting.changes + counted.pending + counted.in_flight) * 60.0::double precision / recent.accepted
    END AS backlog_seconds,
    control.pause_kind,
    control.pause_reason,
    control.paused_at,
    CASE WHEN control.pause_kind = 'account' THEN control.probe_at END AS next_probe_at,
    CASE WHEN control.throttled_until > now() THEN control.throttled_until END AS throttled_until,
    alive.agents,
    alive.listening AS agents_listening,
    alive.polling_reason,
    (SELECT count(*) FROM subscriber_sync.subscriber WHERE admitted_at > now() - interval '24 hours')
        + (SELECT count(*) FROM subscriber_sync.pair WHERE admitted_at > now() - interval '24 hours')
        AS new_subscribers_24h,
    (SELECT max(version) FROM subscriber_sync.migration) AS schema_version,
    -- When everybody was written down first; the sweep under way and how far it is; the last one that ended.
    sweep.baseline_at,
    sweep.reason AS sweep_reason,
    CASE WHEN sweep.reason IS NOT NULL THEN sweep.compared END AS sweep_compared,
    sweep.finished_at AS swept_at,
    sweep.finished_reason AS swept_reason,
    sweep.finished_compared AS swept_compared,
    sweep.finished_found AS swept_found,
    -- Changes that sweeps found because nothing had told of them, since the beginning.
    sweep.found_total AS drift_found,
    alive.capture_trouble,
    -- Since when changes of known users are held, how many had changed of how many; how many users are held for that,
    -- and how many by the limit of new subscribers, until `approve` or `reject`.
    control.braked_at,
    control.braked_changed,
    control.braked_known,
    held.mass_change AS held_mass_change,
    held.new_subscriber_limit AS held_new_subscriber_limit,
    held.sample AS held_sample
FROM counted, waiting, due, recent, alive, subscriber_sync.control,
    (SELECT * FROM subscriber_sync.sweep WHERE kind = 'full') AS sweep,
    (
        SELECT count(*) FILTER (WHERE h.last_error_code = 'mass_change') AS mass_change,
            count(*) FILTER (WHERE h.last_error_code = 'new_subscriber_limit') AS new_subscriber_limit,
            (array_agg(h.user_key ORDER BY h.user_key) FILTER (WHERE h.last_error_code = 'mass_change'))[1:5] AS sample
        FROM subscriber_sync.subscriber h
        WHERE h.standing = 'held' AND h.last_error_code IN ('mass_change', 'new_subscriber_limit')
    ) AS held;

-- Mapping

-- Which mapping the agents send by, what differs from the one that everybody was told by, and what a mass change is of.

-- At most two rows. Names of settings, tables and columns stand in it, and no value: where a setting may hold one, as a
-- condition or a constant does, only its digest does.
CREATE TABLE subscriber_sync.mapping (
    -- 'used': what the agents send by now, as the one said that was started last. 'told': what they sent by when
    -- everybody was last resynced, when an operator last said `reject`, or at the beginning.
    role text PRIMARY KEY CHECK (role IN ('used', 'told')),
    -- Of everything that decides the request for a row.
    digest text NOT NULL,
    -- The part of it that decides what is read of a row, as fingerprints begin with it.
    mark text NOT NULL,
    -- One setting at each place: its path, what may be shown of it, and a digest of it.
    names text[] NOT NULL,
    shown text[] NOT NULL,
    digests text[] NOT NULL,
    -- 'used': since when it is another than 'told'. 'told': since when that one holds.
    since timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE subscriber_sync.mapping IS 'By which mapping users are sent now, and by which everybody was sent';

-- Which mapping an agent sends by. NULL: one of a version that doesn't say.
ALTER TABLE subscriber_sync.agent ADD COLUMN mapping text;

-- What differs between the two, one row a setting. None: everybody was told by the mapping that is used.
CREATE VIEW subscriber_sync.mapping_change AS
WITH item AS (
    SELECT m.role, m.since, i.name, i.shown, i.digest
    FROM subscriber_sync.mapping m, unnest(m.names, m.shown, m.digests) AS i(name, shown, digest)
)
SELECT coalesce(used.name, told.name) AS setting,
    CASE WHEN told.name IS NULL THEN 'added' WHEN used.name IS NULL THEN 'removed' ELSE 'changed' END AS change,
    -- NULL where there was none, or where it isn't shown.
    told.shown AS before,
    used.shown AS after,
    (SELECT m.since FROM subscriber_sync.mapping m WHERE m.role = 'used') AS since
FROM (SELECT * FROM item WHERE role = 'used') AS used
FULL JOIN (SELECT * FROM item WHERE role = 'told') AS told ON told.name = used.name
WHERE used.digest IS DISTINCT FROM told.digest;

COMMENT ON VIEW subscriber_sync.mapping_change IS 'Settings of the mapping that changed since everybody was told by it';

-- Which fields the push would have changed that the brake on mass changes holds. Names, never values.
ALTER TABLE subscriber_sync.subscriber ADD COLUMN held_fields text[];

-- What the held mass change is of.
CREATE VIEW subscriber_sync.mass_change AS
SELECT f.field, count(*) AS users
FROM subscriber_sync.subscriber s, unnest(s.held_fields) AS f(field)
WHERE s.standing = 'held' AND s.last_error_code = 'mass_change'
GROUP BY f.field;

COMMENT ON VIEW subscriber_sync.mass_change IS 'For each field, how many users are held whose field a mass change would change';

-- Webhook

-- Which messages were taken already, so that a replay changes nothing, whichever agent it comes to.
CREATE TABLE subscriber_sync.webhook_message (
    -- The header webhook-id, which the signature covers.
    id text COLLATE "C" PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Housekeeping deletes the oldest. A message is refused once it is five minutes old, so none is kept for long.
CREATE INDEX webhook_message_received ON subscriber_sync.webhook_message (received_at);

COMMENT ON TABLE subscriber_sync.webhook_message IS 'Messages that the webhook took within the last hour';
