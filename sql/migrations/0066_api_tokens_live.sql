-- Which tokens are in force, of every tenant: an event stream ends with its token, and a flood of made-up tokens is told from the
-- first use of a real one without a look-up for each.

SET LOCAL ROLE pcw_owner;

CREATE FUNCTION api_tokens_live() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.id FROM api_tokens t
  WHERE t.revoked_at IS NULL AND t.created_at <= clock_timestamp() AND coalesce(t.expires_at > clock_timestamp(), true)
$$;
COMMENT ON FUNCTION api_tokens_live() IS 'The public ids of the tokens in force, of every tenant. Nothing else of them.';
REVOKE EXECUTE ON FUNCTION api_tokens_live() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_tokens_live() TO pcw_service;

RESET ROLE;
