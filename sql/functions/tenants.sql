-- version 1
-- Tenants and their lakes.
SET LOCAL ROLE pcw_owner;

-- Makes a tenant, or gives it another configuration. Called on the admin connection, as pcw_owner. Lakes of tenants lie apart: neither
-- the same location, which the unique column refuses, nor one below another, whose listing, verification and lifecycle rules would take
-- the other's objects for its own.
CREATE OR REPLACE FUNCTION tenant_put(tenant_name text, new_id uuid, new_config text, new_lake text, OUT tenant_id uuid, OUT is_new boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  other text;
BEGIN
  -- Two that come at once are looked at one after the other.
  LOCK TABLE tenants IN SHARE ROW EXCLUSIVE MODE;
  SELECT t.name INTO other FROM tenants t
   WHERE t.name <> tenant_name AND t.lake IS NOT NULL
     AND (starts_with(new_lake || '/', t.lake || '/') OR starts_with(t.lake || '/', new_lake || '/'))
   LIMIT 1;
  IF other IS NOT NULL THEN
    RAISE unique_violation USING MESSAGE = format('the lake of tenant %s lies there, above or below', other);
  END IF;
  INSERT INTO tenants AS t (id, name, config, lake) VALUES (new_id, tenant_name, new_config, new_lake)
    ON CONFLICT (name) DO UPDATE SET config = excluded.config, lake = excluded.lake, updated_at = now()
    RETURNING t.id, t.xmax = 0 INTO tenant_id, is_new;
END $$;
REVOKE EXECUTE ON FUNCTION tenant_put(text, uuid, text, text) FROM PUBLIC;

-- All tenants with their configurations, for the service and for `--tenant`.
CREATE OR REPLACE FUNCTION tenants_read() RETURNS TABLE (id uuid, name text, config text, lake text, created_at timestamptz, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.id, t.name, t.config, t.lake, t.created_at, t.updated_at FROM tenants t ORDER BY t.created_at, t.name
$$;
REVOKE EXECUTE ON FUNCTION tenants_read() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_read() TO pcw_service;

-- The lake of the session's tenant; written down if there is none and `found_id` is not NULL, or always when it is to be replaced.
CREATE OR REPLACE FUNCTION tenant_lake(found_id text, seen_at text, replaces boolean, OUT known_id text, OUT known_at text)
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

-- Who gives a tenant another lake has said so. (The trigger is of migration 0064.)
CREATE OR REPLACE FUNCTION tenant_lake_forget() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  NEW.lake_id := NULL;
  NEW.lake_seen_at := NULL;
  RETURN NEW;
END $$;

RESET ROLE;
