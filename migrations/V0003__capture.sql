-- Capture: what the triggers on the users table call. It appends one row, and perhaps knocks.
--
-- It names no column of the users table, so nothing that the application does to its table can make it
-- fail; it runs with the rights of its owner, so the application's role needs none; and its search_path
-- is pinned, so nobody can slip another function under it.
--
-- Arguments: the key column; 'guarded' or 'off' (NOTIFY); then, where the comparison was left to
-- this function (capture.compare: row), the watched columns.
CREATE FUNCTION subscriber_sync.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was jsonb;
    becomes jsonb;
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') AND (TG_OP = 'DELETE' OR TG_NARGS > 2 OR TG_NAME LIKE '%\_rekey') THEN
        was := to_jsonb(OLD);
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        becomes := to_jsonb(NEW);
    END IF;

    -- Compared by value here, so that no column is depended on.
    IF TG_OP = 'UPDATE' AND TG_NARGS > 2 AND NOT EXISTS (
        SELECT FROM unnest(TG_ARGV[2:]) AS watched(name) WHERE was -> name IS DISTINCT FROM becomes -> name
    ) THEN
        RETURN NULL;
    END IF;

    IF becomes IS NOT NULL THEN
        INSERT INTO subscriber_sync.change (user_key) VALUES (becomes ->> TG_ARGV[0]);
    END IF;
    IF was IS NOT NULL AND (becomes IS NULL OR was ->> TG_ARGV[0] IS DISTINCT FROM becomes ->> TG_ARGV[0]) THEN
        INSERT INTO subscriber_sync.change (user_key) VALUES (was ->> TG_ARGV[0]);
    END IF;

    -- A NOTIFY takes one lock for the whole server until its commit is on disk. Only who gets this
    -- lock without waiting sends one, so at most one is under way; whoever comes after is found by
    -- the agent, which lingers. A transaction that notified can't be prepared, so not where that may be.
    IF TG_ARGV[1] = 'guarded'
        AND current_setting('max_prepared_transactions') = '0'
        AND pg_try_advisory_xact_lock(1937072755, 1)
    THEN
        PERFORM pg_notify('subscriber_sync', '');
    END IF;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION subscriber_sync.capture() FROM PUBLIC;
