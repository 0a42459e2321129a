-- Tokens of the REST interface. The database holds the hash of a token's secret, never the secret (S1, I31).

SET LOCAL ROLE pcw_owner;

CREATE TABLE api_tokens (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id text NOT NULL CHECK (id ~ '^[0-9a-f]{16}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  principal text NOT NULL CHECK (length(principal) BETWEEN 1 AND 64),  -- who acts: two tokens of one person are one principal (S13)
  kind text NOT NULL CHECK (kind IN ('person', 'service')),
  scopes text[] NOT NULL,
  secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,            -- NULL: does not expire
  revoked_at timestamptz,
  last_used_at timestamptz,          -- to within a minute
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX api_tokens_by_id ON api_tokens (id);
CREATE UNIQUE INDEX api_tokens_by_name ON api_tokens (tenant_id, name) WHERE revoked_at IS NULL;
SELECT pcw_protect('api_tokens');
REVOKE SELECT ON api_tokens FROM pcw_operator;
-- The operator sees which tokens there are, and not their hashes.
GRANT SELECT (tenant_id, id, name, principal, kind, scopes, created_at, expires_at, revoked_at, last_used_at) ON api_tokens TO pcw_operator;
GRANT SELECT, INSERT ON api_tokens TO pcw_service;
GRANT UPDATE (revoked_at, last_used_at) ON api_tokens TO pcw_service;
-- The function below looks across tenants; nobody logs in as pcw_owner.
CREATE POLICY lookup ON api_tokens FOR SELECT TO pcw_owner USING (true);

-- One token by its public id, before any tenant is known: a request brings nothing else. Times are the database's (S3); the caller
-- compares the hash in constant time and learns nothing of a token whose secret it does not hold but that it exists.
CREATE FUNCTION api_token_find(token_id text, OUT tenant_id uuid, OUT name text, OUT principal text, OUT kind text, OUT scopes text[],
                               OUT secret_sha256 bytea, OUT is_live boolean, OUT lives_us bigint)
RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.tenant_id, t.name, t.principal, t.kind, t.scopes, t.secret_sha256,
         t.revoked_at IS NULL AND t.created_at <= clock_timestamp() AND coalesce(t.expires_at > clock_timestamp(), true),
         (extract(epoch FROM t.expires_at - clock_timestamp()) * 1000000)::bigint
  FROM api_tokens t WHERE t.id = token_id
$$;
REVOKE EXECUTE ON FUNCTION api_token_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_token_find(text) TO pcw_service;

RESET ROLE;
