-- A replay of many letters is cut into runs, so that its memory stays flat and other runs of the entity get their turn.
-- Any of its runs names the replay that --resume goes on with.

SET LOCAL ROLE pcw_owner;

ALTER TABLE dead_letters ADD COLUMN replay_failed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN dead_letters.replay_run IS 'The newest replay that took it up; its runs are in dead_letter_replays.';
COMMENT ON COLUMN dead_letters.replay_failed IS 'That replay came to it, and it failed again.';

CREATE TABLE dead_letter_replays (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,                              -- of ingestion_runs, once it has begun
  replay_id uuid NOT NULL,                           -- the first of its runs
  started_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, run_id)
);
SELECT pcw_protect('dead_letter_replays');
GRANT SELECT, INSERT ON dead_letter_replays TO pcw_service;

RESET ROLE;
