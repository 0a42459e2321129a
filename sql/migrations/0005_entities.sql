-- Leads, solutions, profiles, and AWS's own view of opportunities. Columns as in mappings/*.yaml; what every entity table ends with is
-- CONTRACT 3's.

SET LOCAL ROLE pcw_owner;

CREATE TABLE partnercentral_leads (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  catalog text NOT NULL CHECK (catalog IN ('AWS', 'Sandbox')),
  lead_id text NOT NULL,
  state text NOT NULL,
  arn text,
  invitation_id text,
  title text,
  description text,
  sender_company_name text,
  customer_company_name text,
  customer_industry text,
  customer_website_url text,
  customer_country_code text,
  customer_aws_maturity text,
  customer_market_segment text,
  qualification_status text,
  readiness_score text,
  source_type text,
  source_name text,
  use_case text,
  contact_business_title text,
  contact_email text,
  contact_first_name text,
  contact_last_name text,
  contact_phone text,
  invited_at timestamptz,
  expires_at timestamptz,
  source_created_at timestamptz,
  source_version text NOT NULL,
  source_modified_at timestamptz NOT NULL,
  source_rank smallint NOT NULL DEFAULT 0, -- 1: from the engagement, 0: from an invitation
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
  PRIMARY KEY (tenant_id, catalog, lead_id)
) WITH (fillfactor = 90);
CREATE INDEX partnercentral_leads_updated ON partnercentral_leads (tenant_id, updated_at);
SELECT pcw_protect('partnercentral_leads');
GRANT SELECT, INSERT, UPDATE ON partnercentral_leads TO pcw_service;

CREATE TABLE partnercentral_solutions (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  catalog text NOT NULL CHECK (catalog IN ('AWS', 'Sandbox')),
  solution_id text NOT NULL,
  arn text,
  name text,
  status text,
  category text,
  marketplace_solution_arn text,
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
  PRIMARY KEY (tenant_id, catalog, solution_id)
) WITH (fillfactor = 90);
CREATE INDEX partnercentral_solutions_updated ON partnercentral_solutions (tenant_id, updated_at);
SELECT pcw_protect('partnercentral_solutions');
GRANT SELECT, INSERT, UPDATE ON partnercentral_solutions TO pcw_service;

CREATE TABLE partnercentral_profiles (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  catalog text NOT NULL CHECK (catalog IN ('AWS', 'Sandbox')),
  partner_id text NOT NULL,
  arn text,
  legal_name text,
  profile_id text,
  display_name text,
  description text,
  website_url text,
  logo_url text,
  primary_solution_type text,
  industry_segments jsonb,
  translation_source_locale text,
  localized_contents jsonb,
  headquarters_country_code text,
  headquarters_subdivision_code text,
  email_domains jsonb,
  visibility text,
  source_created_at timestamptz,
  source_version text NOT NULL,
  source_modified_at timestamptz NOT NULL,
  companion_json jsonb COMPRESSION lz4, -- GetProfileVisibility's answer
  companion_sha256 bytea,
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
  PRIMARY KEY (tenant_id, catalog, partner_id)
) WITH (fillfactor = 90);
CREATE INDEX partnercentral_profiles_updated ON partnercentral_profiles (tenant_id, updated_at);
SELECT pcw_protect('partnercentral_profiles');
GRANT SELECT, INSERT, UPDATE ON partnercentral_profiles TO pcw_service;

CREATE TABLE partnercentral_aws_summaries (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  catalog text NOT NULL CHECK (catalog IN ('AWS', 'Sandbox')),
  pc_opportunity_id text NOT NULL,
  origin text,
  involvement_type text,
  involvement_type_change_reason text,
  visibility text,
  stage text,
  closed_lost_reason text,
  next_steps text,
  target_close_date date,
  engagement_score text,
  next_best_actions text,
  expected_spend_amount numeric,
  expected_spend_currency text,
  cosell_motion text,
  solution_ids jsonb,
  aws_product_ids jsonb,
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
CREATE INDEX partnercentral_aws_summaries_updated ON partnercentral_aws_summaries (tenant_id, updated_at);
SELECT pcw_protect('partnercentral_aws_summaries');
GRANT SELECT, INSERT, UPDATE ON partnercentral_aws_summaries TO pcw_service;

COMMENT ON COLUMN partnercentral_leads.state IS 'invited | accepted | rejected | expired; a status that AWS adds later stands as AWS spells it.';
COMMENT ON COLUMN partnercentral_leads.source_modified_at IS 'ModifiedAt of the engagement; for an invitation, when AWS served what the row holds.';

RESET ROLE;
