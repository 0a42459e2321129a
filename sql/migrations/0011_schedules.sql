-- When each entity is due, so that any number of schedulers agree, and a due time that nobody was there for is made up once.

SET LOCAL ROLE pcw_owner;

CREATE TABLE schedules (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('full', 'incremental')),
  spec text NOT NULL,                  -- "0 */6 * * *" or "every 300000 ms": a changed one starts anew
  next_due timestamptz NOT NULL,
  last_due timestamptz,                -- the due time that was served last
  last_run uuid,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connector_id, entity, mode),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
) WITH (fillfactor = 70);
SELECT pcw_protect('schedules');
GRANT SELECT, INSERT, UPDATE, DELETE ON schedules TO pcw_service;

-- Ended jobs are history that ingestion_runs tells better. Returns how many went.
CREATE FUNCTION jobs_prune(older_than interval) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM jobs j USING (SELECT tenant_id, id FROM jobs WHERE ended_at < now() - older_than LIMIT 1000 FOR UPDATE SKIP LOCKED) old
    WHERE j.tenant_id = old.tenant_id AND j.id = old.id RETURNING 1)
  SELECT count(*) FROM gone
$$;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
REVOKE EXECUTE ON FUNCTION jobs_prune(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jobs_prune(interval) TO pcw_service;

RESET ROLE;
