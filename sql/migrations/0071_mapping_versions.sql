-- The newest mapping by which an entity's rows are made. A process that was started with an older one would write rows that the
-- others take for stale: it leaves the work to a process with the newer mapping.
SET LOCAL ROLE pcw_owner;

CREATE TABLE mapping_versions (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  version integer NOT NULL,
  run_id uuid NOT NULL,                 -- the run that began with it
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connector_id, entity),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
SELECT pcw_protect('mapping_versions');
GRANT SELECT, INSERT, UPDATE ON mapping_versions TO pcw_service;

RESET ROLE;
