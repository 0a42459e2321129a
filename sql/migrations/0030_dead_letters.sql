-- Dead letters that are grouped, replayed, patched, dropped with a reason, and delivered to SQS (runbook 3.3).
--
-- A letter's cause is a fingerprint of what failed, where, and how it was said, without the values in it: one per cause, not one per
-- record. The outbox needs no table of its own: a letter whose message is not sent yet, or not yet taken back, says so itself.

SET LOCAL ROLE pcw_owner;

CREATE FUNCTION pcw_dlq_fingerprint(entity text, stage text, code text, error text, context jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT left(md5(entity || E'\n' || stage || E'\n' || code || E'\n' || coalesce(context ->> 'pointer', '') || E'\n'
                   || regexp_replace(regexp_replace(error, '"[^"]*"', '""', 'g'), '[0-9]+', '#', 'g')), 12) $$;
COMMENT ON FUNCTION pcw_dlq_fingerprint(text, text, text, text, jsonb) IS 'The cause of a dead letter: quoted texts and numbers of the message do not count.';
GRANT EXECUTE ON FUNCTION pcw_dlq_fingerprint(text, text, text, text, jsonb) TO pcw_service, pcw_operator;

ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_stage_check;
ALTER TABLE dead_letters
  ADD CONSTRAINT dead_letters_stage_check CHECK (stage IN ('fetch', 'map', 'event', 'action', 'meter')),
  ALTER COLUMN run_id DROP NOT NULL,                       -- an event was read by no run
  ADD COLUMN fingerprint text NOT NULL GENERATED ALWAYS AS (pcw_dlq_fingerprint(entity, stage, error_code, error, error_context)) STORED,
  ADD COLUMN mapping_version integer,                      -- by which it failed last
  ADD COLUMN failed_replays integer NOT NULL DEFAULT 0,    -- in a row, with the same cause and mapping: the loop guard
  ADD COLUMN replay_run uuid,                              -- the newest replay that took it up
  ADD COLUMN patch jsonb,                                  -- JSON merge patch, applied to the record's payload whenever it is mapped
  ADD COLUMN original text,                                -- body of a message that is not ours, as it was received
  ADD COLUMN note text,                                    -- why it was dropped
  ADD COLUMN delivery_attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN delivery_error text,
  ADD COLUMN delivered_at timestamptz,
  ADD COLUMN message_id text,
  ADD COLUMN sent_at timestamptz,                          -- SentTimestamp of the message, which a redrive keeps
  ADD COLUMN expires_at timestamptz,                       -- sent_at + the queue's retention
  ADD COLUMN removed_at timestamptz;                       -- its message was deleted from the queue
CREATE INDEX dead_letters_by_cause ON dead_letters (tenant_id, fingerprint) WHERE state = 'open';
CREATE INDEX dead_letters_undelivered ON dead_letters (tenant_id, first_seen_at) WHERE state = 'open' AND delivered_at IS NULL;
CREATE INDEX dead_letters_unremoved ON dead_letters (tenant_id, message_id) WHERE delivered_at IS NOT NULL AND removed_at IS NULL;
CREATE INDEX dead_letters_patched ON dead_letters (tenant_id, connector_id, entity) WHERE patch IS NOT NULL;

-- What people and replays did to a letter. Append-only for the service.
CREATE TABLE dead_letter_events (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  letter_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  event text NOT NULL CHECK (event IN ('replayed', 'patched', 'dropped', 'refetched', 'received')),
  actor text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, letter_id) REFERENCES dead_letters (tenant_id, id)
);
CREATE INDEX dead_letter_events_by_letter ON dead_letter_events (tenant_id, letter_id, id);
SELECT pcw_protect('dead_letter_events');
GRANT SELECT, INSERT ON dead_letter_events TO pcw_service;

RESET ROLE;
