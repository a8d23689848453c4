-- Capture: also TRUNCATE; and what `migrate` installs is written down, so that it can be taken off and put back
-- by the application's own migrations, and compared with what is there.

-- What two kinds of triggers call: the one for TRUNCATE, and the one for UPDATE where the comparison was left to the
-- function (capture.compare: row). The others call capture_new() and capture_old(), which `migrate` makes, because
-- the name of the key column stands in them.
--
-- This one names no column, so nothing that the application does to its table can make it fail; it runs with the
-- rights of its owner, so the application's role needs none; and its search_path is pinned, so nobody can slip
-- another function under it.
--
-- Arguments: the key column; 'guarded' or 'off' (NOTIFY); then the watched columns, the key among them.
CREATE OR REPLACE FUNCTION subscriber_sync.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was jsonb;
    becomes jsonb;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        -- Who they were, nobody can say any more; a sweep finds those whom we knew.
        INSERT INTO subscriber_sync.sweep_request (reason) VALUES ('truncate');
    ELSE
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
    END IF;

    -- A NOTIFY takes one lock for the whole server until its commit is on disk. Only who gets this lock without
    -- waiting sends one, so at most one is under way; whoever comes after is found by the agent, which lingers. A
    -- transaction that notified can't be prepared, so not where that may be; and it can't commit where the queue
    -- is full, so nobody knocks where it is half full.
    IF TG_ARGV[1] = 'guarded'
        AND current_setting('max_prepared_transactions') = '0'
        AND pg_try_advisory_xact_lock(1937072755, 1)
        AND pg_notification_queue_usage() < 0.5
    THEN
        PERFORM pg_notify('subscriber_sync', '');
    END IF;
    RETURN NULL;
END
$$;

-- What `migrate` put on the application's tables: one row a trigger.
CREATE TABLE subscriber_sync.capture_trigger (
    -- The table by its name, in quotes, as the settings give it: who has the name has the users.
    relation text NOT NULL,
    trigger_name text NOT NULL,
    -- The table by its id when the trigger was made, to find it again under another name.
    relation_oid oid NOT NULL,
    -- 'source': the users table; 'related': one of capture.related; 'child': one that inherits from either.
    part text NOT NULL CHECK (part IN ('source', 'child', 'related')),
    -- The statement that makes it.
    definition text NOT NULL,
    -- The statement for where that fails because a column is gone: it names none. NULL: then there is no trigger.
    fallback text,
    -- Whether it fires during replication too (capture.on_replica).
    is_always boolean NOT NULL,
    -- Which settings it was made from: a digest of the mapping.
    mapping text NOT NULL,
    -- What PostgreSQL made of it, as it writes it itself.
    installed text NOT NULL,
    -- Whether the second statement was needed.
    is_fallback boolean NOT NULL DEFAULT false,
    PRIMARY KEY (relation, trigger_name)
);

COMMENT ON TABLE subscriber_sync.capture_trigger IS 'The triggers that migrate made, and how to make them again';

-- Our triggers, but for the copies that PostgreSQL makes on partitions.
CREATE VIEW subscriber_sync.capture_trigger_found AS
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
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'subscriber_sync' AND t.tgparentid = 0;

COMMENT ON VIEW subscriber_sync.capture_trigger_found IS 'The triggers of capture that are there';

-- Takes our triggers off the tables that the caller owns. For the application's migrations, where a trigger keeps
-- them from changing a column: `SELECT subscriber_sync.unwatch();`, the change, `SELECT subscriber_sync.watch();`.
--
-- Returns how many there were.
CREATE FUNCTION subscriber_sync.unwatch() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found record;
    dropped integer := 0;
BEGIN
    FOR found IN
        SELECT f.trigger_name, f.relation_oid::regclass AS relation
        FROM subscriber_sync.capture_trigger_found f
        JOIN pg_class c ON c.oid = f.relation_oid AND pg_has_role(c.relowner, 'USAGE')
        ORDER BY 2, 1
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.trigger_name, found.relation);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

-- Puts the triggers back as `migrate` had made them, and asks for a sweep: what changed meanwhile, nothing told.
--
-- What the application's migration has done to its table never makes this fail: a trigger that names a column that
-- is gone is made in the form that names none. What would undo the whole migration anyhow (a lock that isn't given,
-- a deadlock) does. Triggers that are as they should be are left alone, so it may be called at any time.
--
-- Returns how many it made.
CREATE FUNCTION subscriber_sync.watch() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted subscriber_sync.capture_trigger;
    found record;
    relations text[] := '{}';
    triggers text[] := '{}';
BEGIN
    FOR wanted IN
        SELECT c.* FROM subscriber_sync.capture_trigger c ORDER BY c.relation, c.trigger_name
    LOOP
        IF to_regclass(wanted.relation) IS NULL THEN
            RAISE WARNING 'subscriber-sync: there is no table % any more', wanted.relation
                USING HINT = 'If it has another name now, set that in source.table and run `subscriber-sync migrate`.';
            CONTINUE;
        END IF;
        SELECT f.* INTO found FROM subscriber_sync.capture_trigger_found f
        WHERE f.relation_oid = to_regclass(wanted.relation) AND f.trigger_name = wanted.trigger_name;
        CONTINUE WHEN found.definition = wanted.installed AND NOT wanted.is_fallback
            AND found.enabled = CASE WHEN wanted.is_always THEN 'A' ELSE 'O' END;
        BEGIN
            IF found.trigger_name IS NOT NULL THEN
                EXECUTE format('DROP TRIGGER %I ON %s', wanted.trigger_name, wanted.relation);
            END IF;
            BEGIN
                EXECUTE wanted.definition;
            EXCEPTION WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
                IF wanted.fallback IS NULL OR SQLSTATE = '42501' THEN
                    RAISE;
                END IF;
                RAISE WARNING 'subscriber-sync: % on % could not be made as it was: %',
                        wanted.trigger_name, wanted.relation, SQLERRM
                    USING HINT = 'It compares whole rows until the settings fit the table again and '
                        || '`subscriber-sync migrate` was run.';
                EXECUTE wanted.fallback;
            END;
            IF wanted.is_always THEN
                -- The copies on partitions too; but not tables that inherit, which have triggers of their own.
                EXECUTE format('ALTER TABLE %s%s ENABLE ALWAYS TRIGGER %I',
                    CASE WHEN EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(wanted.relation) AND relkind = 'p')
                        THEN '' ELSE 'ONLY ' END,
                    wanted.relation, wanted.trigger_name);
            END IF;
            relations := relations || wanted.relation;
            triggers := triggers || wanted.trigger_name;
        EXCEPTION WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
            RAISE WARNING 'subscriber-sync: % on % could not be made: %', wanted.trigger_name, wanted.relation, SQLERRM
                USING HINT = 'Until `subscriber-sync migrate` was run, changes of this kind are found by sweeps only.';
        END;
    END LOOP;
    PERFORM subscriber_sync.watched(relations, triggers);
    RETURN cardinality(triggers);
END
$$;

-- Writes down what watch() made, and asks for a sweep: with our rights, so that who calls watch() needs none to write
-- in our tables.
CREATE FUNCTION subscriber_sync.watched(relations text[], triggers text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE subscriber_sync.capture_trigger c
    SET installed = f.definition, relation_oid = f.relation_oid,
        is_fallback = f.compares_rows AND c.fallback IS NOT NULL
    FROM unnest(relations, triggers) AS made(relation, trigger_name)
    JOIN subscriber_sync.capture_trigger_found f
        ON f.relation_oid = to_regclass(made.relation) AND f.trigger_name = made.trigger_name
    WHERE c.relation = made.relation AND c.trigger_name = made.trigger_name;
    INSERT INTO subscriber_sync.sweep_request (reason) VALUES ('watch');
$$;

-- `migrate` grants them to the owners of the tables that have our triggers.
REVOKE ALL ON FUNCTION subscriber_sync.unwatch(), subscriber_sync.watch(), subscriber_sync.watched(text[], text[])
    FROM PUBLIC;

-- Rows of other tables that changed and that profiles are read from (capture.related). One row a change, however many
-- users refer to it: an agent makes users of it. Append-only for the application, like `change`.
CREATE TABLE subscriber_sync.related_change (
    -- The table by its name, in quotes, as the settings give it.
    relation text NOT NULL,
    related_key text COLLATE "C" NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The last user of those that were appended to `change` for it. NULL: none yet.
    reached text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

ALTER TABLE subscriber_sync.related_change REPLICA IDENTITY FULL;

COMMENT ON TABLE subscriber_sync.related_change IS 'Changed rows of capture.related whose users are not in change yet';

-- What the triggers on those tables call; as capture(), it names no column and needs no right of the caller's.
--
-- Arguments: the key column; 'guarded' or 'off'; the table's name; then, where the comparison was left to this
-- function, the watched columns, the key among them.
CREATE FUNCTION subscriber_sync.capture_related() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was jsonb;
    becomes jsonb;
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        was := to_jsonb(OLD);
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        becomes := to_jsonb(NEW);
    END IF;
    IF TG_OP = 'UPDATE' AND TG_NARGS > 3 AND NOT EXISTS (
        SELECT FROM unnest(TG_ARGV[3:]) AS watched(name) WHERE was -> name IS DISTINCT FROM becomes -> name
    ) THEN
        RETURN NULL;
    END IF;

    INSERT INTO subscriber_sync.related_change (relation, related_key)
    SELECT DISTINCT TG_ARGV[2], key FROM unnest(ARRAY[was ->> TG_ARGV[0], becomes ->> TG_ARGV[0]]) AS given(key)
    WHERE key IS NOT NULL;
    -- Whose users they are, nobody can say where everything is gone, or the key column has another name.
    IF NOT FOUND THEN
        INSERT INTO subscriber_sync.sweep_request (reason)
        VALUES (CASE TG_OP WHEN 'TRUNCATE' THEN 'truncate' ELSE 'changes_without_key' END);
    END IF;

    IF TG_ARGV[1] = 'guarded'
        AND current_setting('max_prepared_transactions') = '0'
        AND pg_try_advisory_xact_lock(1937072755, 1)
        AND pg_notification_queue_usage() < 0.5
    THEN
        PERFORM pg_notify('subscriber_sync', '');
    END IF;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION subscriber_sync.capture_related() FROM PUBLIC;
