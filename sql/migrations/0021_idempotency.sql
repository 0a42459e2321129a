-- Idempotency keys of the REST interface, and the key under which its page cursors are signed.

SET LOCAL ROLE pcw_owner;

-- What a request with a key was answered, kept for a day. Written in the transaction that has the effect: either both are there or none.
CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  principal text NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),  -- of method, path and body
  status smallint NOT NULL,
  location text NOT NULL DEFAULT '',
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, principal, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (tenant_id, created_at);
SELECT pcw_protect('idempotency_keys');
REVOKE SELECT ON idempotency_keys FROM pcw_operator;
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO pcw_service;
-- No row is ever changed; locking one that is about to be deleted asks for the right to change a column.
GRANT UPDATE (created_at) ON idempotency_keys TO pcw_service;

-- One row: 256 bits of three random UUIDs. Not a tenant table; the signature covers the tenant.
CREATE TABLE api_cursor_keys (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  key bytea NOT NULL CHECK (octet_length(key) = 32)
);
INSERT INTO api_cursor_keys (key)
  VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

CREATE FUNCTION api_cursor_key() RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT key FROM api_cursor_keys $$;
REVOKE EXECUTE ON FUNCTION api_cursor_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_cursor_key() TO pcw_service;

RESET ROLE;
