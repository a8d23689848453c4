-- Brakes: what an operator has to answer before it goes on.

ALTER TABLE subscriber_sync.control
    -- 'suspicious': so many users in a row met the same rejection that it must be the configuration; until `resume`.
    DROP CONSTRAINT control_pause_kind_check,
    ADD CONSTRAINT control_pause_kind_check
        CHECK (pause_kind IN ('operator', 'account', 'source', 'copied', 'suspicious')),
    -- Whom `resume` makes due again then: those rejected with this code since.
    ADD COLUMN suspect_code text,
    ADD COLUMN suspect_since timestamptz,
    -- Since when changes of known subscribers are held, because so many changed at once. NULL: they aren't.
    ADD COLUMN braked_at timestamptz,
    -- How many had changed, of how many.
    ADD COLUMN braked_changed bigint,
    ADD COLUMN braked_known bigint,
    -- When an operator answered last: changes before count no more.
    ADD COLUMN judged_at timestamptz NOT NULL DEFAULT '-infinity',
    -- How many new subscribers an operator has allowed beyond the limit, and until when.
    ADD COLUMN extra_subscribers bigint NOT NULL DEFAULT 0,
    ADD COLUMN extra_until timestamptz NOT NULL DEFAULT '-infinity';

-- How many known users changed lately.
CREATE INDEX subscriber_changed ON subscriber_sync.subscriber (changed_at) WHERE admitted_at IS NOT NULL;
