-- The tables: what changed, what is known of each user, what happened, who works, who may.

-- What changed, as the triggers append it. No key, no constraint, nothing to wait for: an insert here
-- can't fail for a reason of ours. The agent reads it only with SKIP LOCKED and deletes what it folded.
CREATE TABLE subscriber_sync.change (
    -- NULL where the key column is no longer there under its name; such rows stay, and `status` counts them.
    user_key text COLLATE "C",
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Without a key of its own a published table needs this, or a publication FOR ALL TABLES would refuse our DELETE.
ALTER TABLE subscriber_sync.change REPLICA IDENTITY FULL;

COMMENT ON TABLE subscriber_sync.change IS 'Changed users that no agent has folded yet; append-only for the application';

-- The fencing tokens of claims.
CREATE SEQUENCE subscriber_sync.lease;

-- One row a user: what is known, what is due, and who has it in hand.
CREATE TABLE subscriber_sync.subscriber (
    user_key text COLLATE "C" PRIMARY KEY,
    -- What SignalWire knows the user by. Written before anything is sent.
    reference text,
    subscriber_id uuid,
    status text GENERATED ALWAYS AS (
        CASE
            WHEN lease IS NOT NULL THEN 'in_flight'
            WHEN due_at IS NOT NULL AND standing = 'retrying' THEN 'retrying'
            WHEN due_at IS NOT NULL THEN 'pending'
            ELSE standing
        END
    ) STORED,
    -- Since the last success.
    attempts integer NOT NULL DEFAULT 0,
    -- The newest change that was captured.
    changed_at timestamptz,
    -- When an agent looks next. For a user in flight: when the lease ends. NULL: nothing to do.
    due_at timestamptz,
    last_attempt_at timestamptz,
    synced_at timestamptz,
    last_error text,
    last_error_code text,

    -- Where the last settlement left the user.
    standing text NOT NULL DEFAULT 'unsynced' CHECK (
        standing IN ('unsynced', 'synced', 'retrying', 'rejected', 'held', 'out_of_scope', 'deleted')),
    -- Counts the wishes: a settlement of an older one leaves the user due.
    wanted bigint NOT NULL DEFAULT 1,
    -- The fencing token of the claim in hand.
    lease bigint,
    -- A request whose effect is unknown may land until then; a success that was claimed later ends the doubt.
    doubted_until timestamptz,
    -- For each field that was ever sent, a short hash of its last value; null where that isn't known.
    told jsonb NOT NULL DEFAULT '{}',
    -- When a call that may create the subscriber was admitted. NULL: nothing was ever sent.
    admitted_at timestamptz,
    -- 0: the application changed the user. 1: an operator asked for a resync.
    priority smallint NOT NULL DEFAULT 0
) WITH (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05
);

-- What is due, live changes first. Users at rest aren't in it.
CREATE INDEX subscriber_due ON subscriber_sync.subscriber (priority, due_at) WHERE due_at IS NOT NULL;

-- One reference, one user: looked up before a subscriber may be created.
CREATE INDEX subscriber_reference ON subscriber_sync.subscriber (lower(btrim(reference)))
    WHERE admitted_at IS NOT NULL;

-- The cost brake counts admissions of the last 24 hours.
CREATE INDEX subscriber_admitted ON subscriber_sync.subscriber (admitted_at) WHERE admitted_at IS NOT NULL;

-- Whom somebody should look at, and whom the cost brake holds.
CREATE INDEX subscriber_attention ON subscriber_sync.subscriber (standing, last_error_code)
    WHERE standing IN ('rejected', 'held', 'retrying');

COMMENT ON TABLE subscriber_sync.subscriber IS 'The state of each user; read it, but leave the writing to subscriber-sync';

-- One row for each attempt and each decision. Append-only, but for retention.
CREATE TABLE subscriber_sync.log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    -- NULL where it isn't about one user.
    user_key text COLLATE "C",
    reference text,
    subscriber_id uuid,
    outcome text NOT NULL,
    http_status integer,
    error_code text,
    error text,
    -- Names of fields, never values.
    changed_fields text[],
    duration_ms integer,
    agent text,
    request_id text
);

CREATE INDEX log_user ON subscriber_sync.log (user_key, id);
CREATE INDEX log_at ON subscriber_sync.log (at);

COMMENT ON TABLE subscriber_sync.log IS 'What happened to each user, and why';

-- Who is at work: an agent that was not seen for a while is gone.
CREATE TABLE subscriber_sync.agent (
    id text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    -- 'notify' or 'polling', and why it isn't the other.
    wake_up text NOT NULL,
    wake_up_reason text NOT NULL
);

-- Whether the fleet may push. One row.
CREATE TABLE subscriber_sync.control (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    -- NULL: not paused. 'operator': until `resume`. 'account': until a probe succeeds, or `resume`.
    pause_kind text CHECK (pause_kind IN ('operator', 'account')),
    pause_reason text,
    paused_at timestamptz,
    -- When one agent may try one user.
    probe_at timestamptz,
    probe_failures integer NOT NULL DEFAULT 0,
    -- SignalWire asked for silence until then.
    throttled_until timestamptz
);

INSERT INTO subscriber_sync.control DEFAULT VALUES;
