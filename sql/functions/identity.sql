-- version 1
-- Tokens of the REST interface, before any tenant is known, and the key of its page cursors.
SET LOCAL ROLE pcw_owner;

-- One token by its public id: a request brings nothing else. Times are the database's (S3); the caller compares the hash in constant
-- time and learns nothing of a token whose secret it does not hold but that it exists.
CREATE OR REPLACE FUNCTION api_token_find(token_id text, OUT tenant_id uuid, OUT name text, OUT principal text, OUT kind text, OUT scopes text[],
                               OUT secret_sha256 bytea, OUT is_live boolean, OUT lives_us bigint)
RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.tenant_id, t.name, t.principal, t.kind, t.scopes, t.secret_sha256,
         t.revoked_at IS NULL AND t.created_at <= clock_timestamp() AND coalesce(t.expires_at > clock_timestamp(), true),
         (extract(epoch FROM t.expires_at - clock_timestamp()) * 1000000)::bigint
  FROM api_tokens t WHERE t.id = token_id
$$;
REVOKE EXECUTE ON FUNCTION api_token_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_token_find(text) TO pcw_service;

-- Which tokens are in force: an event stream ends with its token, and a flood of made-up tokens is told from the first use of a real one
-- without a look-up for each.
CREATE OR REPLACE FUNCTION api_tokens_live() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.id FROM api_tokens t
  WHERE t.revoked_at IS NULL AND t.created_at <= clock_timestamp() AND coalesce(t.expires_at > clock_timestamp(), true)
$$;
COMMENT ON FUNCTION api_tokens_live() IS 'The public ids of the tokens in force, of every tenant. Nothing else of them.';
REVOKE EXECUTE ON FUNCTION api_tokens_live() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_tokens_live() TO pcw_service;

-- The key under which page cursors are signed.
CREATE OR REPLACE FUNCTION api_cursor_key() RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT key FROM api_cursor_keys $$;
REVOKE EXECUTE ON FUNCTION api_cursor_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_cursor_key() TO pcw_service;

RESET ROLE;
