-- Roles, tenants, connectors, runs, opportunities, dead letters. Runs as the login of database.admin_url.
--
-- Three NOLOGIN roles: pcw_owner owns every table, pcw_service is what every pcw session becomes (SET ROLE), pcw_operator reads.
-- Every tenant table has row level security enabled and forced; all keys begin with tenant_id (S7, S10, T10).
-- The tenant of a session is the setting pcw.tenant. After SET LOCAL it reverts to '' and not to NULL, hence nullif.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pcw_owner') THEN CREATE ROLE pcw_owner NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pcw_service') THEN CREATE ROLE pcw_service NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pcw_operator') THEN CREATE ROLE pcw_operator NOLOGIN; END IF;
  EXECUTE format('GRANT pcw_owner, pcw_service, pcw_operator TO %I', current_user);
  EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO pcw_service', current_database());
END $$;

GRANT USAGE, CREATE ON SCHEMA public TO pcw_owner;
GRANT USAGE ON SCHEMA public TO pcw_service, pcw_operator;

SET LOCAL ROLE pcw_owner;

CREATE FUNCTION pcw_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('pcw.tenant', true), '')::uuid $$;

COMMENT ON FUNCTION pcw_tenant() IS 'Tenant of this session; NULL when unset.';

-- Enables and forces RLS on a tenant table, and makes its two policies. The service sees nothing without a tenant; the read-only operator
-- sees the default tenant then, so that the runbook''s queries run as written.
CREATE FUNCTION pcw_protect(tenant_table regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('CREATE POLICY service ON %s TO pcw_service, pcw_owner USING (%I = (SELECT pcw_tenant())) WITH CHECK (%I = (SELECT pcw_tenant()))',
                 tenant_table, tenant_column, tenant_column);
  EXECUTE format('CREATE POLICY operator ON %s FOR SELECT TO pcw_operator USING (%I = (SELECT coalesce(pcw_tenant(), ''00000000-0000-0000-0000-000000000001''::uuid)))',
                 tenant_table, tenant_column);
  EXECUTE format('GRANT SELECT ON %s TO pcw_operator', tenant_table);
END $$;
REVOKE EXECUTE ON FUNCTION pcw_protect(regclass, name) FROM PUBLIC;

CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);
SELECT pcw_protect('tenants', 'id');
GRANT SELECT ON tenants TO pcw_service;

SET LOCAL pcw.tenant = '00000000-0000-0000-0000-000000000001';
INSERT INTO tenants (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'default');

-- One row per (tenant, kind), upserted from the config by every command that opens the database.
CREATE TABLE connectors (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  name text NOT NULL,
  status text NOT NULL CHECK (status IN ('enabled', 'disabled')),
  config_json jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, kind)
);
SELECT pcw_protect('connectors');
GRANT SELECT, INSERT, UPDATE ON connectors TO pcw_service;

-- The right to write one entity, and the fence that proves it at every commit (I7).
CREATE TABLE leases (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  fence bigint NOT NULL,
  run_id uuid,                      -- NULL: released
  holder text NOT NULL,
  acquired_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, connector_id, entity),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
SELECT pcw_protect('leases');
GRANT SELECT, INSERT, UPDATE ON leases TO pcw_service;

CREATE TABLE ingestion_runs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('full', 'incremental', 'reingest', 'replay')),
  status text NOT NULL CHECK (status IN ('queued', 'running', 'stalled', 'succeeded', 'partial', 'failed', 'cancelled')),
  catalog text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  fence bigint NOT NULL,
  resumed_from uuid,
  bronze_prefix text NOT NULL DEFAULT '',
  error_code text,
  error text,
  stats_json jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id),
  FOREIGN KEY (tenant_id, resumed_from) REFERENCES ingestion_runs (tenant_id, id),
  CHECK ((ended_at IS NULL) = (status IN ('queued', 'running', 'stalled')))
);
CREATE INDEX ingestion_runs_by_start ON ingestion_runs (tenant_id, connector_id, started_at DESC);
CREATE INDEX ingestion_runs_open ON ingestion_runs (tenant_id, connector_id, entity) WHERE ended_at IS NULL;
SELECT pcw_protect('ingestion_runs');
GRANT SELECT, INSERT, UPDATE ON ingestion_runs TO pcw_service;

-- Terminal states never change (I8).
CREATE FUNCTION ingestion_runs_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL AND NEW.status IS DISTINCT FROM OLD.status THEN
    RAISE EXCEPTION 'run % is % already', OLD.id, OLD.status USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ingestion_runs_guard BEFORE UPDATE ON ingestion_runs FOR EACH ROW EXECUTE FUNCTION ingestion_runs_guard();

-- One row per committed part: the durable progress of a run, and what a lost COMMIT answer is read back from (T8).
CREATE TABLE run_parts (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  part integer NOT NULL,
  bronze_key text NOT NULL,
  sha256 bytea NOT NULL,
  bytes bigint NOT NULL,
  records integer NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, run_id, part),
  FOREIGN KEY (tenant_id, run_id) REFERENCES ingestion_runs (tenant_id, id)
);
SELECT pcw_protect('run_parts');
GRANT SELECT, INSERT ON run_parts TO pcw_service;

-- High-water marks, one per connector, entity, catalog and filter set (I5, T16).
CREATE TABLE cursors (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  catalog text NOT NULL,
  filter_hash text NOT NULL DEFAULT '',
  watermark timestamptz,
  longest_scan_ms bigint NOT NULL DEFAULT 0,
  last_full_run uuid,
  last_full_listed bigint,
  fence bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connector_id, entity, catalog, filter_hash),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
SELECT pcw_protect('cursors');
GRANT SELECT, INSERT, UPDATE ON cursors TO pcw_service;

CREATE TABLE partnercentral_opportunities (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  catalog text NOT NULL CHECK (catalog IN ('AWS', 'Sandbox')),
  pc_opportunity_id text NOT NULL,
  arn text,
  partner_opportunity_identifier text,
  opportunity_type text,
  stage text,
  review_status text,
  review_status_reason text,
  review_comments text,
  closed_lost_reason text,
  next_steps text,
  target_close_date date,
  customer_company_name text,
  customer_industry text,
  customer_website_url text,
  customer_country_code text,
  customer_state_or_region text,
  customer_postal_code text,
  customer_aws_account_id text,
  project_title text,
  customer_use_case text,
  delivery_models jsonb,
  primary_needs_from_aws jsonb,
  national_security text,
  marketing_source text,
  expected_spend_amount numeric,
  expected_spend_currency text,
  expected_spend_frequency text,
  expected_revenue_usd numeric,
  software_revenue_amount numeric,
  software_revenue_currency text,
  solution_ids jsonb,
  aws_product_ids jsonb,
  source_created_at timestamptz,
  source_version text NOT NULL,
  source_modified_at timestamptz NOT NULL,
  payload_json jsonb COMPRESSION lz4 NOT NULL,
  payload_sha256 bytea NOT NULL,
  mapping_version integer NOT NULL,
  bronze_key text NOT NULL,
  bronze_line integer NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_run uuid NOT NULL,
  missed_full_scans smallint NOT NULL DEFAULT 0,
  missing_since timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, catalog, pc_opportunity_id)
) WITH (fillfactor = 90);
CREATE INDEX partnercentral_opportunities_updated ON partnercentral_opportunities (tenant_id, updated_at);
SELECT pcw_protect('partnercentral_opportunities');
GRANT SELECT, INSERT, UPDATE ON partnercentral_opportunities TO pcw_service;

COMMENT ON COLUMN partnercentral_opportunities.expected_revenue_usd IS
  'Amount of the first ExpectedCustomerSpend element if its currency is USD: the monthly amount as AWS gives it, not converted, not annualised.';
COMMENT ON COLUMN partnercentral_opportunities.updated_at IS 'When this row last changed here; source_modified_at is when AWS changed it.';

CREATE TABLE dead_letters (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  run_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  catalog text NOT NULL,
  record_key text NOT NULL,
  stage text NOT NULL CHECK (stage IN ('fetch', 'map')),
  error_code text NOT NULL,
  error text NOT NULL,
  error_context jsonb NOT NULL DEFAULT '{}',
  bronze_key text,
  bronze_line integer,
  attempts integer NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'settled', 'dropped')),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES ingestion_runs (tenant_id, id)
);
CREATE UNIQUE INDEX dead_letters_open ON dead_letters (tenant_id, connector_id, entity, catalog, record_key, stage) WHERE state = 'open';
CREATE INDEX dead_letters_by_time ON dead_letters (tenant_id, last_seen_at DESC);
SELECT pcw_protect('dead_letters');
GRANT SELECT, INSERT, UPDATE ON dead_letters TO pcw_service;

-- Values that did not fit an optional column: NULL in the table, whole in bronze, counted here.
CREATE TABLE schema_drift (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  column_name text NOT NULL,
  pointer text NOT NULL,
  found text NOT NULL,
  records bigint NOT NULL,
  first_seen_run uuid NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connector_id, entity, column_name, found),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
SELECT pcw_protect('schema_drift');
GRANT SELECT, INSERT, UPDATE ON schema_drift TO pcw_service;

RESET ROLE;
