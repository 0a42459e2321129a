-- The queue of the service: what is to be run, who runs it, and until when he may go without a word. Several processes on several
-- machines meet here and nowhere else.

SET LOCAL ROLE pcw_owner;

-- Who asked for a run, through what, and whether somebody wants it to end.
ALTER TABLE ingestion_runs
  ADD COLUMN requested_by text NOT NULL DEFAULT '',
  ADD COLUMN trigger text NOT NULL DEFAULT 'cli' CHECK (trigger IN ('api', 'schedule', 'event', 'cli')),
  ADD COLUMN requested_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN cancel_requested_at timestamptz;

CREATE TABLE jobs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('sync')),
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('full', 'incremental')),
  run_id uuid NOT NULL,                 -- the run in hand; a successor of it after a takeover or a retry
  priority smallint NOT NULL DEFAULT 50, -- lower goes first: 10 a person waits, 50 the schedule
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  not_before timestamptz NOT NULL DEFAULT now(),
  attempts integer NOT NULL DEFAULT 0,  -- times it was claimed
  claim bigint NOT NULL DEFAULT 0,      -- grows with each claim: a holder that lost the job cannot speak for it
  holder text,
  lease_expires_at timestamptz,
  heartbeat_at timestamptz,
  progress bigint NOT NULL DEFAULT 0,
  progress_at timestamptz,              -- when progress last changed: heartbeats without progress are a stall
  requested_by text NOT NULL DEFAULT '',
  trigger text NOT NULL CHECK (trigger IN ('api', 'schedule', 'event', 'cli')),
  cancel_requested_at timestamptz,
  error_code text,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES ingestion_runs (tenant_id, id),
  CHECK ((state = 'running') = (holder IS NOT NULL)),
  CHECK ((state = 'running') = (lease_expires_at IS NOT NULL)),
  CHECK ((ended_at IS NULL) = (state IN ('queued', 'running')))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0,
        autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 500);

-- One open sync of an entity, whoever asks (I11).
CREATE UNIQUE INDEX jobs_one_open_sync ON jobs (tenant_id, connector_id, entity) WHERE kind = 'sync' AND state IN ('queued', 'running');
CREATE INDEX jobs_open ON jobs (priority, created_at) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_by_run ON jobs (tenant_id, run_id);
SELECT pcw_protect('jobs');
-- The functions below look across tenants; nobody logs in as pcw_owner, and they give nothing away but the job and its tenant.
CREATE POLICY queue ON jobs TO pcw_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON jobs TO pcw_service;

-- Takes the next job for `who`: a queued one that is due, or one whose holder has been silent for longer than its lease. By priority,
-- then for the tenant with the fewest running, then by age. No row: nothing to do. The caller works in a session of the job's tenant.
CREATE FUNCTION jobs_claim(who text, lease interval)
RETURNS TABLE (tenant_id uuid, id uuid, connector_id bigint, entity text, mode text, run_id uuid, attempts integer, claim bigint,
               trigger text, requested_by text, is_takeover boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH next AS (
    SELECT j.tenant_id, j.id, j.state = 'running' AS is_takeover FROM jobs j
    WHERE j.state IN ('queued', 'running')
      AND CASE WHEN j.state = 'queued' THEN j.not_before <= now() ELSE j.lease_expires_at < now() END
    ORDER BY j.priority,
             (SELECT count(*) FROM jobs b WHERE b.tenant_id = j.tenant_id AND b.state = 'running' AND b.lease_expires_at >= now()),
             j.created_at
    LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
  UPDATE jobs j SET state = 'running', holder = who, lease_expires_at = clock_timestamp() + lease, heartbeat_at = clock_timestamp(),
    progress = 0, progress_at = clock_timestamp(), attempts = j.attempts + 1, claim = j.claim + 1
  FROM next WHERE j.tenant_id = next.tenant_id AND j.id = next.id
  RETURNING j.tenant_id, j.id, j.connector_id, j.entity, j.mode, j.run_id, j.attempts, j.claim, j.trigger, j.requested_by, next.is_takeover
$$;

-- When the next job may be claimed: how long a worker that found none may sleep. NULL: no open job.
CREATE FUNCTION jobs_next_at() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT min(CASE WHEN state = 'queued' THEN not_before ELSE lease_expires_at END) FROM jobs WHERE state IN ('queued', 'running')
$$;

REVOKE EXECUTE ON FUNCTION jobs_claim(text, interval), jobs_next_at() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jobs_claim(text, interval), jobs_next_at() TO pcw_service;

RESET ROLE;
