-- The database knows the lake of each tenant. Several machines on one database, each with the default lake on its own disk, split
-- bronze in silence: a row's bronze was on whichever machine had fetched it.
--
-- A lake in S3 is its address. A directory has the same name on every machine, so it holds a file with an identity of its own. The first
-- that works with the lake writes it down here; who comes with another lake is refused, until somebody says that it is the lake now.

SET LOCAL ROLE pcw_owner;

ALTER TABLE tenants
  ADD COLUMN lake_id text,       -- NULL: none was used yet
  ADD COLUMN lake_seen_at text;  -- for people: its address and the machine that wrote it down

-- The lake of the session's tenant; written down if there is none and `found_id` is not NULL, or always when it is to be replaced.
CREATE FUNCTION tenant_lake(found_id text, seen_at text, replaces boolean, OUT known_id text, OUT known_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF found_id IS NOT NULL THEN
    UPDATE tenants t SET lake_id = found_id, lake_seen_at = seen_at
     WHERE t.id = public.pcw_tenant() AND (t.lake_id IS NULL OR (replaces AND t.lake_id <> found_id));
  END IF;
  SELECT t.lake_id, t.lake_seen_at INTO known_id, known_at FROM tenants t WHERE t.id = public.pcw_tenant();
END $$;
REVOKE EXECUTE ON FUNCTION tenant_lake(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_lake(text, text, boolean) TO pcw_service;

-- Who gives a tenant another lake has said so.
CREATE FUNCTION tenant_lake_forget() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  NEW.lake_id := NULL;
  NEW.lake_seen_at := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER tenant_lake_forget BEFORE UPDATE ON tenants FOR EACH ROW
  WHEN (OLD.lake IS DISTINCT FROM NEW.lake) EXECUTE FUNCTION tenant_lake_forget();

RESET ROLE;
