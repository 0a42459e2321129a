-- version 1
-- Rebuilding an entity table from bronze: a shadow beside the live table, swapped in one transaction.
--
-- These run as pcw_owner, called by `pcw bronze reingest --rebuild` on the admin connection. Row level security is forced on pcw_owner
-- too, so to see rows of other tenants they lift the force for a moment, under the exclusive lock that ALTER TABLE takes.
SET LOCAL ROLE pcw_owner;

-- Raises if the table holds rows of another tenant: a swap would lose them.
CREATE OR REPLACE FUNCTION pcw_refuse_other_tenants(live regclass, tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  other uuid;
BEGIN
  EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', live);
  EXECUTE format('SELECT tenant_id FROM %s WHERE tenant_id < $1 OR tenant_id > $1 LIMIT 1', live) INTO other USING tenant;
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', live);
  IF other IS NOT NULL THEN
    RAISE EXCEPTION '% holds rows of tenant % too; it cannot be rebuilt for one tenant, re-ingest in place instead', live, other;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION pcw_refuse_other_tenants(regclass, uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pcw_shadow_make(live regclass, tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  shadow text := format('%I', (SELECT relname FROM pg_class WHERE oid = live) || '_shadow');
  triggers text;
  item record;
BEGIN
  PERFORM pcw_refuse_other_tenants(live, tenant);
  SELECT string_agg(tgname, ', ') INTO triggers FROM pg_trigger WHERE tgrelid = live AND NOT tgisinternal;
  IF triggers IS NOT NULL THEN
    RAISE EXCEPTION '% has triggers of its own (%): a rebuilt table would not have them; re-ingest in place instead', live, triggers;
  END IF;
  EXECUTE format('DROP TABLE IF EXISTS %s', shadow);
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL)', shadow, live);
  -- What LIKE leaves out: foreign keys, storage settings, policies, grants.
  FOR item IN SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid = live AND contype = 'f' LOOP
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', shadow, item.conname, item.definition);
  END LOOP;
  FOR item IN SELECT unnest(reloptions) AS setting FROM pg_class WHERE oid = live LOOP
    EXECUTE format('ALTER TABLE %s SET (%s)', shadow, item.setting);
  END LOOP;
  PERFORM pcw_protect(shadow::regclass);
  FOR item IN SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS grantee, a.privilege_type, a.is_grantable
              FROM pg_class c CROSS JOIN aclexplode(c.relacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
              WHERE c.oid = live AND a.grantee <> c.relowner LOOP
    EXECUTE format('GRANT %s ON %s TO %s%s', item.privilege_type, shadow, item.grantee, CASE WHEN item.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION pcw_shadow_make(regclass, uuid) FROM PUBLIC;
COMMENT ON FUNCTION pcw_shadow_make(regclass, uuid) IS 'Makes <table>_shadow, empty and protected as <table> is; drops what an earlier rebuild left.';

CREATE OR REPLACE FUNCTION pcw_shadow_swap(live regclass, id_column name, expected_lost bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  live_name text := (SELECT relname FROM pg_class WHERE oid = live);
  shadow regclass := format('%I', (SELECT relname FROM pg_class WHERE oid = live) || '_shadow')::regclass;
  lost bigint;
  example text;
  dependents text;
  item record;
BEGIN
  -- Nobody else writes the table: the caller holds the entity's lease. Readers go on until the lock below.
  EXECUTE format('UPDATE %s AS s SET first_seen_at = l.first_seen_at, last_seen_run = l.last_seen_run, missed_full_scans = l.missed_full_scans, '
                 'missing_since = l.missing_since, updated_at = CASE WHEN s.payload_sha256 = l.payload_sha256 AND s.mapping_version = l.mapping_version '
                 'THEN l.updated_at ELSE s.updated_at END FROM %s AS l WHERE l.tenant_id = s.tenant_id AND l.catalog = s.catalog AND l.%I = s.%I',
                 shadow, live, id_column, id_column);
  EXECUTE format('SELECT count(*), min(l.%2$I) FROM %1$s AS l LEFT JOIN %3$s AS s ON s.tenant_id = l.tenant_id AND s.catalog = l.catalog AND s.%2$I = l.%2$I '
                 'WHERE s.%2$I IS NULL OR s.source_modified_at < l.source_modified_at', live, id_column, shadow) INTO lost, example;
  IF lost <> expected_lost THEN
    RAISE EXCEPTION '% rows of % would vanish or fall back to an older version (% is one), % were expected: bronze does not hold them; '
                    'see `pcw bronze verify`, or accept that with --expect %', lost, live, coalesce(example, 'none'), expected_lost, lost;
  END IF;
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', live);
  PERFORM pcw_refuse_other_tenants(live, pcw_tenant());
  SELECT string_agg(DISTINCT r.ev_class::regclass::text, ', ') INTO dependents FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = live AND r.ev_class <> live;
  IF dependents IS NOT NULL THEN
    RAISE EXCEPTION 'views depend on %: %; drop them, rebuild, and make them again, or re-ingest in place', live, dependents;
  END IF;
  -- Indexes keep their names: each of the shadow's gets that of the one it stands for.
  CREATE TEMPORARY TABLE pcw_index_names ON COMMIT DROP AS
    SELECT s.indexrelid::regclass::text AS made, c.relname AS wanted, row_number() OVER () AS n
    FROM pg_index l JOIN pg_class c ON c.oid = l.indexrelid
    JOIN pg_index s ON s.indrelid = shadow AND s.indkey::text = l.indkey::text AND s.indisunique = l.indisunique AND s.indisprimary = l.indisprimary
      AND s.indclass::text = l.indclass::text AND s.indoption::text = l.indoption::text
      AND coalesce(pg_get_expr(s.indexprs, s.indrelid), '') = coalesce(pg_get_expr(l.indexprs, l.indrelid), '')
      AND coalesce(pg_get_expr(s.indpred, s.indrelid), '') = coalesce(pg_get_expr(l.indpred, l.indrelid), '')
    WHERE l.indrelid = live;
  EXECUTE format('DROP TABLE %s', live);
  EXECUTE format('ALTER TABLE %s RENAME TO %I', shadow, live_name);
  FOR item IN SELECT DISTINCT ON (wanted) made, wanted FROM pcw_index_names ORDER BY wanted, made LOOP
    EXECUTE format('ALTER INDEX %s RENAME TO %I', item.made, item.wanted);
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION pcw_shadow_swap(regclass, name, bigint) FROM PUBLIC;
COMMENT ON FUNCTION pcw_shadow_swap(regclass, name, bigint) IS 'Puts <table>_shadow in the place of <table>; refuses if rows would be lost.';

RESET ROLE;
