-- Sweeps: comparing everybody with what was last read of them, for what no trigger told.

-- What the last claim, or the first sweep, read of the user's row. Never a value: the first 4 bytes say which
-- mapping read it, the 12 behind them are of a SHA-256 over key, reference and mapped columns. Only the first 4
-- for a user out of scope. NULL: nothing was read yet, or the row is gone.
ALTER TABLE subscriber_sync.subscriber ADD COLUMN fingerprint bytea;

-- One row for each kind of sweep, as far as it has come: any agent takes the next page, whoever took the last.
CREATE TABLE subscriber_sync.sweep (
    -- 'full' compares every user, and looks for those who are gone. 'recent' compares those whose
    -- source.updated_at is young.
    kind text PRIMARY KEY CHECK (kind IN ('full', 'recent')),
    -- Why the one under way began. NULL: none is.
    reason text,
    started_at timestamptz,
    -- 'source' goes through the users table, 'known' through the table subscriber.
    leg text CHECK (leg IN ('source', 'known')),
    -- The last key of the page before this. NULL: at the beginning.
    reached text,
    -- For 'recent': where the next one begins, and the source.updated_at of the last row of the page before.
    since timestamptz,
    until timestamptz,
    reached_at text,
    -- Pages keep this distance, over all agents: the throttle.
    next_page_at timestamptz NOT NULL DEFAULT '-infinity',
    compared bigint NOT NULL DEFAULT 0,
    found bigint NOT NULL DEFAULT 0,
    -- The last one that ended.
    finished_at timestamptz,
    finished_reason text,
    finished_compared bigint,
    finished_found bigint,
    -- Differences found since the beginning, the first sweep's apart: changes that nothing had told.
    found_total bigint NOT NULL DEFAULT 0,
    -- When the first sweep ended. NULL: who was there before isn't written down yet.
    baseline_at timestamptz
);

INSERT INTO subscriber_sync.sweep (kind) VALUES ('full'), ('recent');

COMMENT ON TABLE subscriber_sync.sweep IS 'How far the comparison of everybody is, and what the last one found';

-- Who asks for a full sweep: TRUNCATE, watch(), an agent that found capture broken. Append-only for the application.
CREATE TABLE subscriber_sync.sweep_request (
    reason text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE subscriber_sync.sweep_request REPLICA IDENTITY FULL;

COMMENT ON TABLE subscriber_sync.sweep_request IS 'Reasons to compare everybody once; append-only for the application';

-- 'source': the table or a mapped column isn't there any more; until the mapping fits. 'copied': this database
-- is a copy of the one that was synced; until `resume`.
ALTER TABLE subscriber_sync.control
    DROP CONSTRAINT control_pause_kind_check,
    ADD CONSTRAINT control_pause_kind_check CHECK (pause_kind IN ('operator', 'account', 'source', 'copied')),
    -- Which database this is, as the first agent saw it: a restored backup has another timeline, a copy
    -- another identity.
    ADD COLUMN database_identity text,
    ADD COLUMN database_timeline text;
