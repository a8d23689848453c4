-- The webhook in: which messages were taken already, so that a replay changes nothing, whichever agent it comes to.
CREATE TABLE subscriber_sync.webhook_message (
    -- The header webhook-id, which the signature covers.
    id text COLLATE "C" PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Housekeeping deletes the oldest. A message is refused once it is five minutes old, so none is kept for long.
CREATE INDEX webhook_message_received ON subscriber_sync.webhook_message (received_at);

COMMENT ON TABLE subscriber_sync.webhook_message IS 'Messages that the webhook took within the last hour';
