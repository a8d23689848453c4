-- What `status` shows of sweeps, of capture and of the brakes.

-- What keeps triggers from telling of every change, as the agent found it. NULL: nothing. What was found is made good
-- by comparing everybody as often as in poll mode.
ALTER TABLE subscriber_sync.agent ADD COLUMN capture_trouble text;

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
