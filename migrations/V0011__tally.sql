-- How many users have each status, without counting them all.

-- What each statement added and took away; their sum is how many there are. Append-only like `change`, and for the same
-- reason: nobody waits for anybody. Each row is written by the transaction that it counts, so every snapshot has figures
-- that fit its users.
CREATE TABLE subscriber_sync.tally (
    status text COLLATE "C" NOT NULL,
    users bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Without a key of its own a published table needs this, or a publication FOR ALL TABLES would refuse our DELETE.
ALTER TABLE subscriber_sync.tally REPLICA IDENTITY FULL;

COMMENT ON TABLE subscriber_sync.tally IS 'How many users have each status: the sum of what each statement changed';

-- Counts what a statement did. Now and then it replaces what lies there by its sums, so that there are never many rows.
--
-- With the rights of its owner, so that an agent of the version before, whose role knows nothing of it, goes on.
CREATE FUNCTION subscriber_sync.count_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO subscriber_sync.tally (status, users)
        SELECT c.status, sum(c.users) FROM (
            SELECT status, -1 AS users FROM was UNION ALL SELECT status, 1 FROM becomes
        ) AS c GROUP BY c.status HAVING sum(c.users) <> 0;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO subscriber_sync.tally (status, users) SELECT status, count(*) FROM becomes GROUP BY status;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO subscriber_sync.tally (status, users) SELECT status, -count(*) FROM was GROUP BY status;
    ELSE
        PERFORM subscriber_sync.recount();
    END IF;
    -- One statement in thirty-two, whichever it is.
    IF random() * 32 < 1 THEN
        -- Whom another one has in hand is left to that one.
        WITH gone AS (
            DELETE FROM subscriber_sync.tally WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM subscriber_sync.tally LIMIT 1000 FOR UPDATE SKIP LOCKED))
            RETURNING status, users
        )
        INSERT INTO subscriber_sync.tally (status, users)
        SELECT status, sum(users) FROM gone GROUP BY status HAVING sum(users) <> 0;
    END IF;
    RETURN NULL;
END
$$;

-- Counts everybody: where rows were written past the triggers, as a restore of data alone does. `migrate` calls it.
--
-- The lock keeps out whoever else counts, for as long as it takes to read the table: so nothing is counted twice.
CREATE FUNCTION subscriber_sync.recount() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE subscriber_sync.tally IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM subscriber_sync.tally;
    INSERT INTO subscriber_sync.tally (status, users)
    SELECT status, count(*) FROM subscriber_sync.subscriber GROUP BY status;
END
$$;

REVOKE ALL ON FUNCTION subscriber_sync.count_users(), subscriber_sync.recount() FROM PUBLIC;

CREATE TRIGGER count_inserted AFTER INSERT ON subscriber_sync.subscriber
    REFERENCING NEW TABLE AS becomes FOR EACH STATEMENT EXECUTE FUNCTION subscriber_sync.count_users();
CREATE TRIGGER count_updated AFTER UPDATE ON subscriber_sync.subscriber
    REFERENCING OLD TABLE AS was NEW TABLE AS becomes FOR EACH STATEMENT
    EXECUTE FUNCTION subscriber_sync.count_users();
CREATE TRIGGER count_deleted AFTER DELETE ON subscriber_sync.subscriber
    REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION subscriber_sync.count_users();
CREATE TRIGGER count_truncated AFTER TRUNCATE ON subscriber_sync.subscriber
    FOR EACH STATEMENT EXECUTE FUNCTION subscriber_sync.count_users();

-- Nobody writes users until this is committed: the triggers hold the table.
SELECT subscriber_sync.recount();

-- As before, but only on the application's tables: those on ours are not capture's.
CREATE OR REPLACE VIEW subscriber_sync.capture_trigger_found AS
SELECT t.oid AS trigger_oid, t.tgrelid AS relation_oid, t.tgname::text AS trigger_name,
    -- How PostgreSQL writes it under the search_path of our functions and sessions.
    pg_catalog.pg_get_triggerdef(t.oid) AS definition,
    -- 'O': fires but during replication; 'A': always; 'D' and 'R' only where somebody has switched it. A '?' where
    -- the copy on a partition isn't switched as the trigger is.
    CASE WHEN c.relkind = 'p' AND EXISTS (
            SELECT FROM pg_catalog.pg_trigger copy
            WHERE copy.tgname = t.tgname AND copy.tgenabled <> t.tgenabled
                AND copy.tgrelid IN (SELECT tree.relid FROM pg_catalog.pg_partition_tree(t.tgrelid) tree))
        THEN '?' ELSE t.tgenabled::text END AS enabled,
    -- Whether it fires only where an UPDATE names certain columns.
    t.tgattr::text <> '' AS names_columns,
    -- Whether the function compares (capture.compare: row).
    t.tgnargs > CASE p.proname WHEN 'capture_related' THEN 3 ELSE 2 END AS compares_rows
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace place ON place.oid = c.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'subscriber_sync' AND place.nspname <> 'subscriber_sync' AND t.tgparentid = 0;

-- As before, but for the counts by status.
CREATE OR REPLACE VIEW subscriber_sync.status AS
WITH by_status AS (
    SELECT status, sum(users)::bigint AS users FROM subscriber_sync.tally GROUP BY status
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
