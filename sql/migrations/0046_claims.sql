-- Claims that stay fast however many jobs ended while somebody holds an old snapshot, and a stall that is the configuration's.
--
-- An ended job leaves entries in the indexes that nothing may remove while a snapshot that is older than its end is held: a backup, a
-- long report. A claim met all of them, oldest first. Now queued jobs are looked for by the time they became due, from a low-water
-- mark on: all of what ended before lies below it. The mark is only a hint, and a thorough look, every other second of each process,
-- ignores it, sets it anew and takes over the jobs of silent holders.

SET LOCAL ROLE pcw_owner;

-- When a job that makes no progress is shown as stalled; set by its holder, who knows service.stall_after.
ALTER TABLE jobs ADD COLUMN stalls_at timestamptz;
UPDATE jobs SET stalls_at = progress_at + interval '10 minutes' WHERE state = 'running';

DROP INDEX jobs_open;
CREATE INDEX jobs_due ON jobs (not_before) WHERE state = 'queued';
CREATE INDEX jobs_beating ON jobs (heartbeat_at) WHERE state = 'running';

-- The mark, in microseconds since 1970: a sequence, because a row would leave a version behind with each change.
CREATE SEQUENCE jobs_low_water MINVALUE 0 START 0 NO CYCLE;

DROP FUNCTION jobs_claim(text, interval);
DROP FUNCTION jobs_next_at();

-- Where quick looks begin.
CREATE FUNCTION jobs_mark() RETURNS timestamptz LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT to_timestamp(last_value / 1000000.0) FROM jobs_low_water
$$;

-- Takes the next job for `who`: a queued one that is due, or, in a thorough look, one whose holder has been silent for longer than its
-- lease. By priority, then for the tenant with the fewest running, then by age. No row: nothing to do. The caller works in a session of
-- the job's tenant. `stall`: without progress for so long it is shown as stalled.
CREATE FUNCTION jobs_claim(who text, lease interval, stall interval, is_thorough boolean)
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

-- (Without sequential scans, which statistics of a small table may ask for though it is full of dead rows; a sequence has no other, and
-- the price that this puts on it would have it compiled each time.)

-- When the next queued job is due: how long a worker that found none may sleep. NULL: none is queued.
CREATE FUNCTION jobs_next_at() RETURNS timestamptz LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  SET enable_seqscan = off SET jit = off AS $$
  SELECT min(not_before) FROM jobs WHERE state = 'queued' AND not_before >= (SELECT jobs_mark())
$$;

REVOKE EXECUTE ON FUNCTION jobs_claim(text, interval, interval, boolean), jobs_next_at(), jobs_mark() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jobs_claim(text, interval, interval, boolean), jobs_next_at() TO pcw_service;

RESET ROLE;
