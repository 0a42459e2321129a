-- Events of Partner Central: which came, which records are to be fetched because of them, and how many changes no event told of.
-- ADR 13.

SET LOCAL ROLE pcw_owner;

-- A run of mode fetch gets the records that somebody asked for by name; it lists nothing and moves no watermark.
ALTER TABLE ingestion_runs DROP CONSTRAINT ingestion_runs_mode_check;
ALTER TABLE ingestion_runs ADD CONSTRAINT ingestion_runs_mode_check CHECK (mode IN ('full', 'incremental', 'reingest', 'replay', 'fetch'));
ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check, DROP CONSTRAINT jobs_mode_check;
ALTER TABLE jobs
  ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('sync', 'fetch')),
  ADD CONSTRAINT jobs_mode_check CHECK (mode IN ('full', 'incremental', 'fetch')),
  ADD CONSTRAINT jobs_kind_of_mode CHECK ((kind = 'fetch') = (mode = 'fetch'));
CREATE UNIQUE INDEX jobs_one_open_fetch ON jobs (tenant_id, connector_id, entity) WHERE kind = 'fetch' AND state IN ('queued', 'running');

-- Records that wait to be fetched, one row each however often it was asked for.
CREATE TABLE fetch_requests (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  catalog text NOT NULL,
  record_key text NOT NULL,
  operation text NOT NULL,                 -- the detail call that tells most
  detail_key text NOT NULL,                -- what it takes
  rank smallint NOT NULL,                  -- of the source it belongs to
  generation bigint NOT NULL DEFAULT 1,    -- grows with each request: a run that took an older one does not end it
  requested_at timestamptz NOT NULL DEFAULT now(),
  not_before timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, connector_id, entity, catalog, record_key),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
) WITH (fillfactor = 70);
SELECT pcw_protect('fetch_requests');
GRANT SELECT, INSERT, UPDATE, DELETE ON fetch_requests TO pcw_service;

-- Where a tenant's events come from, and since when they are listened to: changes before that are not expected to have events.
CREATE TABLE event_inbox (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
  queue_url text NOT NULL,
  listening_since timestamptz NOT NULL DEFAULT now(),
  polled_at timestamptz NOT NULL DEFAULT now(),
  received_at timestamptz                  -- of the newest event
) WITH (fillfactor = 50);
SELECT pcw_protect('event_inbox');
GRANT SELECT, INSERT, UPDATE ON event_inbox TO pcw_service;

-- Each event once, however often it came. Kept for longer than any queue keeps a message.
CREATE TABLE partner_events (
  tenant_id uuid NOT NULL,
  event_id text NOT NULL,
  connector_id bigint NOT NULL,
  source text NOT NULL,
  detail_type text NOT NULL,
  catalog text NOT NULL DEFAULT '',
  event_time timestamptz NOT NULL,
  entity text,                             -- NULL: it names no record of ours
  record_key text,
  disposition text NOT NULL CHECK (disposition IN ('fetch', 'nothing', 'other_catalog', 'unknown')),
  body text,                               -- of those that this version does not know
  deliveries integer NOT NULL DEFAULT 1,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
CREATE INDEX partner_events_by_record ON partner_events (tenant_id, entity, record_key, event_time) WHERE entity IS NOT NULL;
CREATE INDEX partner_events_by_age ON partner_events (tenant_id, received_at);
SELECT pcw_protect('partner_events');
GRANT SELECT, INSERT, UPDATE, DELETE ON partner_events TO pcw_service;

-- Changes that landed and whose event may still be on its way; judged after a grace, then gone.
CREATE TABLE event_checks (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  catalog text NOT NULL,
  record_key text NOT NULL,
  modified_at timestamptz NOT NULL,        -- at AWS
  run_id uuid NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
CREATE INDEX event_checks_by_time ON event_checks (tenant_id, found_at);
SELECT pcw_protect('event_checks');
GRANT SELECT, INSERT, UPDATE, DELETE ON event_checks TO pcw_service;  -- a claim of rows (FOR UPDATE) needs UPDATE

-- The verdicts, by the hour in which the change was found.
CREATE TABLE event_coverage (
  tenant_id uuid NOT NULL,
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  hour timestamptz NOT NULL,
  told bigint NOT NULL DEFAULT 0,          -- an event told of the change
  missed bigint NOT NULL DEFAULT 0,        -- none came
  PRIMARY KEY (tenant_id, connector_id, entity, hour),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id)
);
SELECT pcw_protect('event_coverage');
GRANT SELECT, INSERT, UPDATE, DELETE ON event_coverage TO pcw_service;

RESET ROLE;
