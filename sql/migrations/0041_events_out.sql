-- CloudEvents of changed opportunities on their way out: written in the transaction that commits the change, delivered at least once.
-- ADR 13.

SET LOCAL ROLE pcw_owner;

CREATE TABLE change_outbox (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  event_id text NOT NULL,                  -- of tenant, record and version: the same change makes the same event
  connector_id bigint NOT NULL,
  entity text NOT NULL,
  catalog text NOT NULL,
  record_key text NOT NULL,
  type text NOT NULL,
  body text NOT NULL,                      -- the CloudEvent as it is sent, the same bytes at every try
  event_time timestamptz NOT NULL,         -- when AWS changed the record
  run_id uuid NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  claim bigint NOT NULL DEFAULT 0,         -- grows with each try: who lost his lease cannot speak for it
  next_at timestamptz NOT NULL DEFAULT now(), -- when it may be tried; while somebody tries, the end of his lease
  error text,                              -- of the last try that failed
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, event_id),
  FOREIGN KEY (tenant_id, connector_id) REFERENCES connectors (tenant_id, id),
  CHECK ((ended_at IS NULL) = (state = 'pending'))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE INDEX change_outbox_pending ON change_outbox (tenant_id, id) WHERE state = 'pending';
-- Events of one record go out in their order.
CREATE INDEX change_outbox_by_record ON change_outbox (tenant_id, record_key, id) WHERE state = 'pending';
CREATE INDEX change_outbox_ended ON change_outbox (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
SELECT pcw_protect('change_outbox');
GRANT SELECT, INSERT, UPDATE, DELETE ON change_outbox TO pcw_service;

RESET ROLE;
