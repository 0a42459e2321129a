-- Lakes of tenants lie apart: neither the same place, which the unique column refuses, nor one below another, whose listing,
-- verification and lifecycle rules would take the other's objects for its own.

SET LOCAL ROLE pcw_owner;

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

RESET ROLE;
