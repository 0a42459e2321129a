-- Drift: every departure of AWS's answers from what is known, and the baseline of rates that runs are compared with. No values of
-- people or companies: names, JSON types, counts, and texts of enums.

SET LOCAL ROLE pcw_owner;

ALTER TABLE schema_drift
  ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY,
  ADD COLUMN kind text NOT NULL DEFAULT 'misfit'
    CHECK (kind IN ('unknown_member', 'missing_member', 'type_change', 'new_enum', 'null_rate', 'misfit')),
  ADD COLUMN status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted')),
  ADD COLUMN operation text NOT NULL DEFAULT '',   -- whose answer: GetOpportunity
  ADD COLUMN expected text NOT NULL DEFAULT '',
  ADD COLUMN sample_record text,
  ADD COLUMN bronze_key text,
  ADD COLUMN bronze_line integer,
  ADD COLUMN last_seen_run uuid,
  ADD COLUMN baseline_rate numeric(5, 4),          -- of NULL or absence; null_rate and missing_member only
  ADD COLUMN observed_rate numeric(5, 4),
  ADD COLUMN note text,
  ADD COLUMN accepted_at timestamptz,
  ALTER COLUMN column_name SET DEFAULT '',
  ALTER COLUMN pointer SET DEFAULT '';
ALTER TABLE schema_drift DROP CONSTRAINT schema_drift_pkey;
ALTER TABLE schema_drift ADD PRIMARY KEY (tenant_id, id);
CREATE UNIQUE INDEX schema_drift_same ON schema_drift (tenant_id, connector_id, entity, kind, operation, pointer, column_name, found);

-- What was learned of one entity: how often a member is there, how often a column is filled.
CREATE TABLE drift_baseline (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  catalog text NOT NULL,
  operation text NOT NULL,
  is_column boolean NOT NULL,
  name text NOT NULL,              -- JSON pointer or column
  records bigint NOT NULL,
  hits bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connector_id, entity, catalog, operation, is_column, name),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
SELECT pcw_protect('drift_baseline');
GRANT SELECT, INSERT, UPDATE ON drift_baseline TO pcw_service;

RESET ROLE;
