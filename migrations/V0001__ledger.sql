-- The schema of subscriber-sync, and the ledger of what was done to it.
--
-- Nothing outside of this schema is touched by the numbered files. The triggers on the users table
-- are made from the settings, by `subscriber-sync migrate`.

CREATE SCHEMA subscriber_sync;

COMMENT ON SCHEMA subscriber_sync IS 'subscriber-sync: keeps the users table and SignalWire''s subscribers the same';

CREATE TABLE subscriber_sync.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    -- SHA-256 of the file, in hex: a file that changed after it was applied is refused.
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    -- The version of the program that applied it.
    applied_by text NOT NULL
);

COMMENT ON TABLE subscriber_sync.migration IS 'One row for each migration that was applied';
