-- Tenants beside the default one: each with a configuration of its own, its AWS identity, lake, quota and schedule. Made on the admin
-- connection; the service reads all of them, because it works for all of them.

SET LOCAL ROLE pcw_owner;

ALTER TABLE tenants
  ADD COLUMN config text NOT NULL DEFAULT '',    -- YAML as given; secrets only by reference. Empty: the main configuration file
  ADD COLUMN lake text UNIQUE,                   -- where its bronze lies: two tenants in one place would overwrite each other
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
  ADD CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$');

-- The functions below run as pcw_owner and look across tenants; nobody logs in as that role.
CREATE POLICY registry ON tenants TO pcw_owner USING (true) WITH CHECK (true);

-- Makes a tenant, or gives it another configuration. Called on the admin connection, as pcw_owner.
CREATE FUNCTION tenant_put(tenant_name text, new_id uuid, new_config text, new_lake text, OUT tenant_id uuid, OUT is_new boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO tenants AS t (id, name, config, lake) VALUES (new_id, tenant_name, new_config, new_lake)
    ON CONFLICT (name) DO UPDATE SET config = excluded.config, lake = excluded.lake, updated_at = now()
    RETURNING t.id, t.xmax = 0 INTO tenant_id, is_new;
END $$;
REVOKE EXECUTE ON FUNCTION tenant_put(text, uuid, text, text) FROM PUBLIC;

-- All tenants with their configurations, for the service and for `--tenant`.
CREATE FUNCTION tenants_read() RETURNS TABLE (id uuid, name text, config text, lake text, created_at timestamptz, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.id, t.name, t.config, t.lake, t.created_at, t.updated_at FROM tenants t ORDER BY t.created_at, t.name
$$;
REVOKE EXECUTE ON FUNCTION tenants_read() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_read() TO pcw_service;

-- What separates tenants, checked at every start (S7): names of tables that lack something. A table that has a column tenant_id (or
-- is `tenants`) needs row level security enabled and forced, and policies for the service with USING and WITH CHECK; a view of one
-- must look with its reader's eyes.
CREATE FUNCTION pcw_unprotected() RETURNS TABLE (relation text, lacks text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.oid::regclass::text,
         CASE WHEN c.relkind = 'v' THEN 'security_invoker'
              WHEN NOT c.relrowsecurity THEN 'row level security'
              WHEN NOT c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY'
              ELSE 'the policy service with USING and WITH CHECK' END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public'
    AND (c.relname = 'tenants' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
    AND CASE WHEN c.relkind = 'v' THEN NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'] OR c.reloptions @> ARRAY['security_invoker=on'], false)
             WHEN c.relkind IN ('r', 'p') THEN NOT c.relrowsecurity OR NOT c.relforcerowsecurity
               OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL
                              AND p.polroles @> ARRAY[(SELECT r.oid FROM pg_roles r WHERE r.rolname = 'pcw_service')])
             WHEN c.relkind = 'm' THEN true ELSE false END
  ORDER BY 1
$$;

RESET ROLE;
