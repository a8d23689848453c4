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
