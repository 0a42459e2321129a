-- Health asks for the newest run of each entity, however many runs of others came since.

SET LOCAL ROLE pcw_owner;

CREATE INDEX ingestion_runs_by_entity ON ingestion_runs (tenant_id, connector_id, entity, started_at DESC);

RESET ROLE;
