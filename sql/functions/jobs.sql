-- version 1
-- The queue over all tenants. These functions look across tenants; nobody logs in as pcw_owner, and they give nothing away but the job
-- and its tenant.
SET LOCAL ROLE pcw_owner;

-- Where quick looks begin. An ended job leaves entries in the indexes that nothing may remove while an older snapshot is held; they all
-- lie below this mark. It is a hint, kept in a sequence: a row would leave a version behind with each change.
CREATE OR REPLACE FUNCTION jobs_mark() RETURNS timestamptz LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT to_timestamp(last_value / 1000000.0) FROM jobs_low_water
$$;

-- Takes the next job for `who`: a queued one that is due, or, in a thorough look, one whose holder has been silent for longer than its
-- lease. By priority, then for the tenant with the fewest running, then by age. No row: nothing to do. The caller works in a session of
-- the job's tenant. `stall`: without progress for so long it is shown as stalled.
--
-- (Without sequential scans, which statistics of a small table may ask for though it is full of dead rows; a sequence has no other, and
-- the price that this puts on it would have it compiled each time.)
CREATE OR REPLACE FUNCTION jobs_claim(who text, lease interval, stall interval, is_thorough boolean)
RETURNS TABLE (tenant_id uuid, id uuid, connector_id bigint, entity text, mode text, run_id uuid, attempts integer, claim bigint,
               trigger text, requested_by text, is_takeover boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  t timestamptz := clock_timestamp();
  mark timestamptz := CASE WHEN is_thorough THEN '-infinity' ELSE jobs_mark() END;
  taken record;
BEGIN
  -- Holders show that they live at least every two seconds: who beat lately is running. Looked at only where tenants compete.
  WITH busy AS MATERIALIZED (
    SELECT b.tenant_id, count(*) AS jobs FROM jobs b WHERE b.state = 'running' AND b.heartbeat_at > t - interval '4 seconds' GROUP BY 1),
  due AS MATERIALIZED (
    SELECT j.tenant_id, j.id, j.priority, j.created_at FROM jobs j WHERE j.state = 'queued' AND j.not_before BETWEEN mark AND t
    UNION ALL
    SELECT j.tenant_id, j.id, j.priority, j.created_at FROM jobs j WHERE is_thorough AND j.state = 'running' AND j.lease_expires_at < t),
  rivals AS MATERIALIZED (SELECT count(DISTINCT d.tenant_id) AS tenants FROM due d)
  SELECT j.tenant_id, j.id, j.state = 'running' AS is_takeover INTO taken
    FROM due d JOIN jobs j ON j.tenant_id = d.tenant_id AND j.id = d.id
    WHERE j.state = 'queued' OR (j.state = 'running' AND j.lease_expires_at < t)
    ORDER BY d.priority,
             CASE WHEN (SELECT r.tenants FROM rivals r) > 1 THEN coalesce((SELECT b.jobs FROM busy b WHERE b.tenant_id = d.tenant_id), 0) END,
             d.created_at
    LIMIT 1 FOR UPDATE OF j SKIP LOCKED;
  IF FOUND THEN
    RETURN QUERY
      UPDATE jobs j SET state = 'running', holder = who, lease_expires_at = clock_timestamp() + lease, heartbeat_at = clock_timestamp(),
          progress = 0, progress_at = clock_timestamp(), stalls_at = clock_timestamp() + stall, attempts = j.attempts + 1, claim = j.claim + 1
        WHERE j.tenant_id = taken.tenant_id AND j.id = taken.id
        RETURNING j.tenant_id, j.id, j.connector_id, j.entity, j.mode, j.run_id, j.attempts, j.claim, j.trigger, j.requested_by, taken.is_takeover;
  END IF;
  IF is_thorough THEN
    -- A second below now: a job may be committed a moment after the time it is due at. One that comes later still is found by the next
    -- thorough look.
    PERFORM setval('jobs_low_water', (extract(epoch FROM least(t - interval '1 second',
      (SELECT min(j.not_before) FROM jobs j WHERE j.state = 'queued' AND j.not_before <= t))) * 1000000)::bigint);
  END IF;
END $$;

-- When the next queued job is due: how long a worker that found none may sleep. NULL: none is queued.
CREATE OR REPLACE FUNCTION jobs_next_at() RETURNS timestamptz LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  SET enable_seqscan = off SET jit = off AS $$
  SELECT min(not_before) FROM jobs WHERE state = 'queued' AND not_before >= (SELECT jobs_mark())
$$;

-- Ended jobs are history that ingestion_runs tells better. Returns how many went.
CREATE OR REPLACE FUNCTION jobs_prune(older_than interval) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM jobs j USING (SELECT tenant_id, id FROM jobs WHERE ended_at < now() - older_than LIMIT 1000 FOR UPDATE SKIP LOCKED) old
    WHERE j.tenant_id = old.tenant_id AND j.id = old.id RETURNING 1)
  SELECT count(*) FROM gone
$$;

REVOKE EXECUTE ON FUNCTION jobs_mark(), jobs_claim(text, interval, interval, boolean), jobs_next_at(), jobs_prune(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jobs_claim(text, interval, interval, boolean), jobs_next_at(), jobs_prune(interval) TO pcw_service;

RESET ROLE;
