-- version 1
-- What separates tenants: the tenant of a session, the policies of a tenant's table, and the check of both at every start.
SET LOCAL ROLE pcw_owner;

-- The setting pcw.tenant; after SET LOCAL it reverts to '' and not to NULL, hence nullif.
CREATE OR REPLACE FUNCTION pcw_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('pcw.tenant', true), '')::uuid $$;
COMMENT ON FUNCTION pcw_tenant() IS 'Tenant of this session; NULL when unset.';

-- Enables and forces row level security on a tenant table, and makes its two policies. The service sees nothing without a tenant; the
-- read-only operator sees the default tenant then, so that the runbook's queries run as written.
CREATE OR REPLACE FUNCTION pcw_protect(tenant_table regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('CREATE POLICY service ON %s TO pcw_service, pcw_owner USING (%I = (SELECT pcw_tenant())) WITH CHECK (%I = (SELECT pcw_tenant()))',
                 tenant_table, tenant_column, tenant_column);
  EXECUTE format('CREATE POLICY operator ON %s FOR SELECT TO pcw_operator USING (%I = (SELECT coalesce(pcw_tenant(), ''00000000-0000-0000-0000-000000000001''::uuid)))',
                 tenant_table, tenant_column);
  EXECUTE format('GRANT SELECT ON %s TO pcw_operator', tenant_table);
END $$;
REVOKE EXECUTE ON FUNCTION pcw_protect(regclass, name) FROM PUBLIC;

-- Names of tables that lack something. A table that has a column tenant_id (or is `tenants`) needs row level security enabled and
-- forced, and policies for the service with USING and WITH CHECK; a view of one must look with its reader's eyes.
CREATE OR REPLACE FUNCTION pcw_unprotected() RETURNS TABLE (relation text, lacks text)
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
