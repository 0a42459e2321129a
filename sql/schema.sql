-- The schema as `pcw db migrate` leaves it: made by scripts/make-schema, compared by tests/e2e/schema.test.mjs. Not applied by anything;
-- what is applied are sql/migrations and sql/functions.

CREATE FUNCTION public.api_cursor_key() RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$ SELECT key FROM api_cursor_keys $$;

CREATE FUNCTION public.api_token_find(token_id text, OUT tenant_id uuid, OUT name text, OUT principal text, OUT kind text, OUT scopes text[], OUT secret_sha256 bytea, OUT is_live boolean, OUT lives_us bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT t.tenant_id, t.name, t.principal, t.kind, t.scopes, t.secret_sha256,
         t.revoked_at IS NULL AND t.created_at <= clock_timestamp() AND coalesce(t.expires_at > clock_timestamp(), true),
         (extract(epoch FROM t.expires_at - clock_timestamp()) * 1000000)::bigint
  FROM api_tokens t WHERE t.id = token_id
$$;

CREATE FUNCTION public.api_tokens_live() RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT t.id FROM api_tokens t
  WHERE t.revoked_at IS NULL AND t.created_at <= clock_timestamp() AND coalesce(t.expires_at > clock_timestamp(), true)
$$;

COMMENT ON FUNCTION public.api_tokens_live() IS 'The public ids of the tokens in force, of every tenant. Nothing else of them.';

CREATE FUNCTION public.calls_note(account text, svc text, cls text, op text, who text, ok bigint, throttles bigint, refusals bigint, failures bigint, error_code text, aws_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
  t timestamptz := clock_timestamp();
  is_first_of_its_minute boolean;
BEGIN
  INSERT INTO aws_calls AS c (aws_account_id, service, class, operation, spender, bucket, calls, throttled, refused, failed)
    VALUES (account, svc, cls, op, who, date_trunc('minute', t), ok + throttles + refusals + failures, throttles, refusals, failures)
    ON CONFLICT (aws_account_id, service, operation, spender, bucket) DO UPDATE SET calls = c.calls + excluded.calls,
      throttled = c.throttled + excluded.throttled, refused = c.refused + excluded.refused, failed = c.failed + excluded.failed
    RETURNING xmax = 0 INTO is_first_of_its_minute;
  INSERT INTO aws_operations AS o (aws_account_id, service, operation, last_ok_at, last_error_at, last_error_code, last_aws_error, ok, throttled, refused, failed)
    VALUES (account, svc, op, CASE WHEN ok > 0 THEN t END, CASE WHEN error_code IS NOT NULL THEN t END, error_code, aws_error, ok, throttles, refusals, failures)
    ON CONFLICT (aws_account_id, service, operation) DO UPDATE SET
      last_ok_at = coalesce(excluded.last_ok_at, o.last_ok_at), last_error_at = coalesce(excluded.last_error_at, o.last_error_at),
      last_error_code = coalesce(excluded.last_error_code, o.last_error_code),
      last_aws_error = CASE WHEN excluded.last_error_code IS NULL THEN o.last_aws_error ELSE excluded.last_aws_error END,
      ok = o.ok + excluded.ok, throttled = o.throttled + excluded.throttled, refused = o.refused + excluded.refused, failed = o.failed + excluded.failed;
  -- A new row pays for the old ones: the table stays bounded however rarely calls are made, and is not searched every second.
  IF is_first_of_its_minute THEN
    DELETE FROM aws_calls WHERE aws_account_id = account AND service = svc AND bucket < t - interval '25 hours';
  END IF;
END $$;

CREATE FUNCTION public.calls_read(account text, svc text, since interval) RETURNS TABLE(class text, operation text, spender text, calls bigint, throttled bigint, refused bigint, failed bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $_$
  SELECT c.class, c.operation, regexp_replace(c.spender, ', pid [0-9]+$', '') AS spender, sum(c.calls)::bigint, sum(c.throttled)::bigint, sum(c.refused)::bigint, sum(c.failed)::bigint
  FROM aws_calls c WHERE c.aws_account_id = account AND c.service = svc AND c.bucket > now() - since
  GROUP BY 1, 2, 3 ORDER BY 4 DESC
$_$;

CREATE FUNCTION public.calls_totals(account text) RETURNS TABLE(service text, operation text, ok bigint, throttled bigint, refused bigint, failed bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT o.service, o.operation, o.ok, o.throttled, o.refused, o.failed FROM aws_operations o WHERE o.aws_account_id = account ORDER BY 1, 2
$$;

CREATE FUNCTION public.ingestion_runs_guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL AND NEW.status IS DISTINCT FROM OLD.status THEN
    RAISE EXCEPTION 'run % is % already', OLD.id, OLD.status USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION public.jobs_claim(who text, lease interval, stall interval, is_thorough boolean) RETURNS TABLE(tenant_id uuid, id uuid, connector_id bigint, entity text, mode text, run_id uuid, attempts integer, claim bigint, trigger text, requested_by text, is_takeover boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
DECLARE
  t timestamptz := clock_timestamp();
  mark timestamptz := CASE WHEN is_thorough THEN '-infinity' ELSE jobs_mark() END;
  taken record;
BEGIN
  -- Holders show that they live at least every two seconds: who beat lately is running. Looked at only where tenants compete.
  WITH busy AS MATERIALIZED (
    SELECT b.tenant_id, count(*) AS jobs FROM jobs b WHERE b.state = 'running' AND b.heartbeat_at > t - interval '4 seconds' GROUP BY 1),
  due AS MATERIALIZED (
    SELECT j.tenant_id, j.id, j.priority, j.created_at FROM jobs j WHERE j.state = 'queued' AND j.not_before BETWEEN mark AND t
    UNION ALL
    SELECT j.tenant_id, j.id, j.priority, j.created_at FROM jobs j WHERE is_thorough AND j.state = 'running' AND j.lease_expires_at < t),
  rivals AS MATERIALIZED (SELECT count(DISTINCT d.tenant_id) AS tenants FROM due d)
  SELECT j.tenant_id, j.id, j.state = 'running' AS is_takeover INTO taken
    FROM due d JOIN jobs j ON j.tenant_id = d.tenant_id AND j.id = d.id
    WHERE j.state = 'queued' OR (j.state = 'running' AND j.lease_expires_at < t)
    ORDER BY d.priority,
             CASE WHEN (SELECT r.tenants FROM rivals r) > 1 THEN coalesce((SELECT b.jobs FROM busy b WHERE b.tenant_id = d.tenant_id), 0) END,
             d.created_at
    LIMIT 1 FOR UPDATE OF j SKIP LOCKED;
  IF FOUND THEN
    RETURN QUERY
      UPDATE jobs j SET state = 'running', holder = who, lease_expires_at = clock_timestamp() + lease, heartbeat_at = clock_timestamp(),
          progress = 0, progress_at = clock_timestamp(), stalls_at = clock_timestamp() + stall, attempts = j.attempts + 1, claim = j.claim + 1
        WHERE j.tenant_id = taken.tenant_id AND j.id = taken.id
        RETURNING j.tenant_id, j.id, j.connector_id, j.entity, j.mode, j.run_id, j.attempts, j.claim, j.trigger, j.requested_by, taken.is_takeover;
  END IF;
  IF is_thorough THEN
    -- A second below now: a job may be committed a moment after the time it is due at. One that comes later still is found by the next
    -- thorough look.
    PERFORM setval('jobs_low_water', (extract(epoch FROM least(t - interval '1 second',
      (SELECT min(j.not_before) FROM jobs j WHERE j.state = 'queued' AND j.not_before <= t))) * 1000000)::bigint);
  END IF;
END $$;

CREATE FUNCTION public.jobs_mark() RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT to_timestamp(last_value / 1000000.0) FROM jobs_low_water
$$;

CREATE FUNCTION public.jobs_next_at() RETURNS timestamp with time zone
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  SELECT min(not_before) FROM jobs WHERE state = 'queued' AND not_before >= (SELECT jobs_mark())
$$;

CREATE FUNCTION public.jobs_prune(older_than interval) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  WITH gone AS (
    DELETE FROM jobs j USING (SELECT tenant_id, id FROM jobs WHERE ended_at < now() - older_than LIMIT 1000 FOR UPDATE SKIP LOCKED) old
    WHERE j.tenant_id = old.tenant_id AND j.id = old.id RETURNING 1)
  SELECT count(*) FROM gone
$$;

CREATE FUNCTION public.operations_read(account text, svc text) RETURNS TABLE(operation text, last_ok_at timestamp with time zone, last_error_at timestamp with time zone, last_error_code text, last_aws_error text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT o.operation, o.last_ok_at, o.last_error_at, o.last_error_code, o.last_aws_error
  FROM aws_operations o WHERE o.aws_account_id = account AND o.service = svc ORDER BY 1
$$;

CREATE FUNCTION public.pcw_dlq_fingerprint(entity text, stage text, code text, error text, context jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT left(md5(entity || E'\n' || stage || E'\n' || code || E'\n' || coalesce(context ->> 'pointer', '') || E'\n'
                   || regexp_replace(regexp_replace(error, '"[^"]*"', '""', 'g'), '[0-9]+', '#', 'g')), 12) $$;

COMMENT ON FUNCTION public.pcw_dlq_fingerprint(entity text, stage text, code text, error text, context jsonb) IS 'The cause of a dead letter: quoted texts and numbers of the message do not count.';

CREATE FUNCTION public.pcw_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT statement_timestamp() $$;

COMMENT ON FUNCTION public.pcw_now() IS 'The clock of runs: that of the database, whatever the clocks of pcw''s machines say.';

CREATE FUNCTION public.pcw_protect(tenant_table regclass, tenant_column name DEFAULT 'tenant_id'::name) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('CREATE POLICY service ON %s TO pcw_service, pcw_owner USING (%I = (SELECT pcw_tenant())) WITH CHECK (%I = (SELECT pcw_tenant()))',
                 tenant_table, tenant_column, tenant_column);
  EXECUTE format('CREATE POLICY operator ON %s FOR SELECT TO pcw_operator USING (%I = (SELECT coalesce(pcw_tenant(), ''00000000-0000-0000-0000-000000000001''::uuid)))',
                 tenant_table, tenant_column);
  EXECUTE format('GRANT SELECT ON %s TO pcw_operator', tenant_table);
END $$;

CREATE FUNCTION public.pcw_refuse_other_tenants(live regclass, tenant uuid) RETURNS void
    LANGUAGE plpgsql
    AS $_$
DECLARE
  other uuid;
BEGIN
  EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', live);
  EXECUTE format('SELECT tenant_id FROM %s WHERE tenant_id < $1 OR tenant_id > $1 LIMIT 1', live) INTO other USING tenant;
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', live);
  IF other IS NOT NULL THEN
    RAISE EXCEPTION '% holds rows of tenant % too; it cannot be rebuilt for one tenant, re-ingest in place instead', live, other;
  END IF;
END $_$;

CREATE FUNCTION public.pcw_shadow_make(live regclass, tenant uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

COMMENT ON FUNCTION public.pcw_shadow_make(live regclass, tenant uuid) IS 'Makes <table>_shadow, empty and protected as <table> is; drops what an earlier rebuild left.';

CREATE FUNCTION public.pcw_shadow_swap(live regclass, id_column name, expected_lost bigint) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
END $_$;

COMMENT ON FUNCTION public.pcw_shadow_swap(live regclass, id_column name, expected_lost bigint) IS 'Puts <table>_shadow in the place of <table>; refuses if rows would be lost.';

CREATE FUNCTION public.pcw_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('pcw.tenant', true), '')::uuid $$;

COMMENT ON FUNCTION public.pcw_tenant() IS 'Tenant of this session; NULL when unset.';

CREATE FUNCTION public.pcw_unprotected() RETURNS TABLE(relation text, lacks text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.quota_buckets(account text, svc text, cls text) RETURNS TABLE(bucket timestamp with time zone, calls bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT u.bucket, u.calls FROM quota_usage u
  WHERE u.aws_account_id = account AND u.service = svc AND u.class = cls AND u.calls > 0 AND u.bucket > now() - interval '24 hours 1 minute'
  ORDER BY 1
$$;

CREATE FUNCTION public.quota_last_second(account text, svc text, cls text, interval_us bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT coalesce(ceil(round(sum(extract(epoch FROM upper(part) - lower(part))) * 1000000 / nullif(interval_us, 0), 3)), 0)::bigint
  FROM quota_state s, unnest(s.granted * tstzmultirange(tstzrange(clock_timestamp() - interval '1 second', clock_timestamp()))) part
  WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls
$$;

CREATE FUNCTION public.quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint, OUT granted integer, OUT delay_us bigint, OUT day_left bigint, OUT free_at timestamp with time zone, OUT slots_end timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
  t timestamptz := clock_timestamp();
  step interval := interval_us * interval '1 microsecond';
  slot timestamptz;
  paused timestamptz;
  used bigint;
BEGIN
  INSERT INTO quota_state (aws_account_id, service, class, next_slot) VALUES (account, svc, cls, t) ON CONFLICT DO NOTHING;
  SELECT next_slot, paused_until INTO slot, paused FROM quota_state
    WHERE aws_account_id = account AND service = svc AND class = cls FOR UPDATE;
  t := clock_timestamp();  -- after the wait for the row

  SELECT coalesce(sum(calls), 0) INTO used FROM quota_usage
    WHERE aws_account_id = account AND service = svc AND class = cls AND bucket > t - interval '24 hours 1 minute';
  granted := greatest(0, least(want, day_limit - used))::integer;
  day_left := greatest(0, day_limit - used - granted);
  IF granted = 0 THEN
    SELECT min(aged.bucket) + interval '24 hours 1 minute' INTO free_at
      FROM (SELECT bucket, sum(calls) OVER (ORDER BY bucket) AS freed FROM quota_usage
            WHERE aws_account_id = account AND service = svc AND class = cls AND bucket > t - interval '24 hours 1 minute') aged
      WHERE used - aged.freed < day_limit;
    delay_us := 0;
    RETURN;
  END IF;

  slot := greatest(slot, t - (burst - 1) * step, paused);
  delay_us := (extract(epoch FROM slot - t) * 1000000)::bigint;
  slots_end := slot + granted * step;
  UPDATE quota_state AS s SET next_slot = slots_end,
      granted = s.granted * tstzmultirange(tstzrange(t - interval '2 seconds', NULL)) + tstzmultirange(tstzrange(slot, slots_end))
    WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls;
  INSERT INTO quota_usage AS u (aws_account_id, service, class, bucket, calls) VALUES (account, svc, cls, date_trunc('minute', t), granted)
    ON CONFLICT (aws_account_id, service, class, bucket) DO UPDATE SET calls = u.calls + excluded.calls;
  DELETE FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket < t - interval '25 hours';
END $$;

CREATE FUNCTION public.quota_pause(account text, svc text, cls text, pause_us bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
  INSERT INTO quota_state AS s (aws_account_id, service, class, next_slot, paused_until)
    VALUES (account, svc, cls, clock_timestamp(), clock_timestamp() + pause_us * interval '1 microsecond')
    ON CONFLICT (aws_account_id, service, class) DO UPDATE SET paused_until = greatest(s.paused_until, excluded.paused_until);
END $$;

CREATE FUNCTION public.quota_read(account text, svc text, cls text, OUT used_last_minute bigint, OUT used_last_hour bigint, OUT used_24h bigint, OUT paused_until timestamp with time zone, OUT full_again_at timestamp with time zone) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT coalesce(sum(calls) FILTER (WHERE bucket > now() - interval '2 minutes'), 0)::bigint,
         coalesce(sum(calls) FILTER (WHERE bucket > now() - interval '61 minutes'), 0)::bigint,
         coalesce(sum(calls), 0)::bigint,
         (SELECT s.paused_until FROM quota_state s WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls AND s.paused_until > now()),
         max(bucket) + interval '24 hours 1 minute'
  FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND calls > 0 AND bucket > now() - interval '24 hours 1 minute'
$$;

CREATE FUNCTION public.quota_return(account text, svc text, cls text, unused integer, leased_at_bucket timestamp with time zone, interval_us bigint, lease_end timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
  back interval := unused * interval_us * interval '1 microsecond';
BEGIN
  UPDATE quota_state SET next_slot = next_slot - back, granted = granted - tstzmultirange(tstzrange(next_slot - back, next_slot))
    WHERE aws_account_id = account AND service = svc AND class = cls AND next_slot = lease_end;
  UPDATE quota_usage SET calls = greatest(0, calls - unused)
    WHERE aws_account_id = account AND service = svc AND class = cls
      AND bucket = (SELECT max(bucket) FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket <= leased_at_bucket);
END $$;

CREATE FUNCTION public.tenant_lake(found_id text, seen_at text, replaces boolean, OUT known_id text, OUT known_at text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
  IF found_id IS NOT NULL THEN
    UPDATE tenants t SET lake_id = found_id, lake_seen_at = seen_at
     WHERE t.id = public.pcw_tenant() AND (t.lake_id IS NULL OR (replaces AND t.lake_id <> found_id));
  END IF;
  SELECT t.lake_id, t.lake_seen_at INTO known_id, known_at FROM tenants t WHERE t.id = public.pcw_tenant();
END $$;

CREATE FUNCTION public.tenant_lake_forget() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
  NEW.lake_id := NULL;
  NEW.lake_seen_at := NULL;
  RETURN NEW;
END $$;

CREATE FUNCTION public.tenant_put(tenant_name text, new_id uuid, new_config text, new_lake text, OUT tenant_id uuid, OUT is_new boolean) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.tenants_read() RETURNS TABLE(id uuid, name text, config text, lake text, created_at timestamp with time zone, updated_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
  SELECT t.id, t.name, t.config, t.lake, t.created_at, t.updated_at FROM tenants t ORDER BY t.created_at, t.name
$$;

CREATE TABLE public.api_cursor_keys (
    is_only boolean DEFAULT true NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT api_cursor_keys_is_only_check CHECK (is_only),
    CONSTRAINT api_cursor_keys_key_check CHECK ((octet_length(key) = 32))
);

CREATE TABLE public.api_tokens (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    principal text NOT NULL,
    kind text NOT NULL,
    scopes text[] NOT NULL,
    secret_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_tokens_id_check CHECK ((id ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT api_tokens_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'service'::text]))),
    CONSTRAINT api_tokens_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT api_tokens_principal_check CHECK (((length(principal) >= 1) AND (length(principal) <= 64))),
    CONSTRAINT api_tokens_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32))
);

ALTER TABLE ONLY public.api_tokens FORCE ROW LEVEL SECURITY;

CREATE TABLE public.aws_calls (
    aws_account_id text NOT NULL,
    service text NOT NULL,
    class text NOT NULL,
    operation text NOT NULL,
    spender text NOT NULL,
    bucket timestamp with time zone NOT NULL,
    calls bigint DEFAULT 0 NOT NULL,
    throttled bigint DEFAULT 0 NOT NULL,
    refused bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.aws_operations (
    aws_account_id text NOT NULL,
    service text NOT NULL,
    operation text NOT NULL,
    last_ok_at timestamp with time zone,
    last_error_at timestamp with time zone,
    last_error_code text,
    last_aws_error text,
    ok bigint DEFAULT 0 NOT NULL,
    throttled bigint DEFAULT 0 NOT NULL,
    refused bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.change_outbox (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    event_id text NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    catalog text NOT NULL,
    record_key text NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    event_time timestamp with time zone NOT NULL,
    run_id uuid NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    claim bigint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT change_outbox_check CHECK (((ended_at IS NULL) = (state = 'pending'::text))),
    CONSTRAINT change_outbox_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='500');

ALTER TABLE ONLY public.change_outbox FORCE ROW LEVEL SECURITY;

ALTER TABLE public.change_outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.change_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.connectors (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    config_json jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT connectors_status_check CHECK ((status = ANY (ARRAY['enabled'::text, 'disabled'::text])))
);

ALTER TABLE ONLY public.connectors FORCE ROW LEVEL SECURITY;

ALTER TABLE public.connectors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.connectors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.cursors (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    catalog text NOT NULL,
    filter_hash text DEFAULT ''::text NOT NULL,
    watermark timestamp with time zone,
    longest_scan_ms bigint DEFAULT 0 NOT NULL,
    last_full_run uuid,
    last_full_listed bigint,
    fence bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    shrunk_listed bigint
);

ALTER TABLE ONLY public.cursors FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dead_letter_events (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    letter_id uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    event text NOT NULL,
    actor text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT dead_letter_events_event_check CHECK ((event = ANY (ARRAY['replayed'::text, 'patched'::text, 'dropped'::text, 'refetched'::text, 'received'::text])))
);

ALTER TABLE ONLY public.dead_letter_events FORCE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letter_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letter_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.dead_letter_replays (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    replay_id uuid NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.dead_letter_replays FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dead_letter_trials (
    tenant_id uuid NOT NULL,
    fingerprint text NOT NULL,
    mapping_version integer NOT NULL,
    tried_at timestamp with time zone DEFAULT now() NOT NULL,
    outcome text
);

ALTER TABLE ONLY public.dead_letter_trials FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dead_letters (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    catalog text NOT NULL,
    record_key text NOT NULL,
    stage text NOT NULL,
    error_code text NOT NULL,
    error text NOT NULL,
    error_context jsonb DEFAULT '{}'::jsonb NOT NULL,
    bronze_key text,
    bronze_line integer,
    attempts integer DEFAULT 1 NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    settled_at timestamp with time zone,
    fingerprint text GENERATED ALWAYS AS (public.pcw_dlq_fingerprint(entity, stage, error_code, error, error_context)) STORED NOT NULL,
    mapping_version integer,
    failed_replays integer DEFAULT 0 NOT NULL,
    replay_run uuid,
    patch jsonb,
    original text,
    note text,
    delivery_attempts integer DEFAULT 0 NOT NULL,
    delivery_error text,
    delivered_at timestamp with time zone,
    message_id text,
    sent_at timestamp with time zone,
    expires_at timestamp with time zone,
    removed_at timestamp with time zone,
    replay_failed boolean DEFAULT false NOT NULL,
    CONSTRAINT dead_letters_stage_check CHECK ((stage = ANY (ARRAY['fetch'::text, 'map'::text, 'event'::text, 'action'::text, 'meter'::text]))),
    CONSTRAINT dead_letters_state_check CHECK ((state = ANY (ARRAY['open'::text, 'settled'::text, 'dropped'::text])))
);

ALTER TABLE ONLY public.dead_letters FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.dead_letters.replay_run IS 'The newest replay that took it up; its runs are in dead_letter_replays.';

COMMENT ON COLUMN public.dead_letters.replay_failed IS 'That replay came to it, and it failed again.';

CREATE TABLE public.drift_baseline (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    catalog text NOT NULL,
    operation text NOT NULL,
    is_column boolean NOT NULL,
    name text NOT NULL,
    records bigint NOT NULL,
    hits bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.drift_baseline FORCE ROW LEVEL SECURITY;

CREATE TABLE public.event_checks (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    catalog text NOT NULL,
    record_key text NOT NULL,
    modified_at timestamp with time zone NOT NULL,
    run_id uuid NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.event_checks FORCE ROW LEVEL SECURITY;

ALTER TABLE public.event_checks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.event_checks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.event_coverage (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    hour timestamp with time zone NOT NULL,
    told bigint DEFAULT 0 NOT NULL,
    missed bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.event_coverage FORCE ROW LEVEL SECURITY;

CREATE TABLE public.event_inbox (
    tenant_id uuid NOT NULL,
    queue_url text NOT NULL,
    listening_since timestamp with time zone DEFAULT now() NOT NULL,
    polled_at timestamp with time zone DEFAULT now() NOT NULL,
    received_at timestamp with time zone
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.event_inbox FORCE ROW LEVEL SECURITY;

CREATE TABLE public.fetch_requests (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    catalog text NOT NULL,
    record_key text NOT NULL,
    operation text NOT NULL,
    detail_key text NOT NULL,
    rank smallint NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.fetch_requests FORCE ROW LEVEL SECURITY;

CREATE TABLE public.idempotency_keys (
    tenant_id uuid NOT NULL,
    principal text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    status smallint NOT NULL,
    location text DEFAULT ''::text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))),
    CONSTRAINT idempotency_keys_request_sha256_check CHECK ((octet_length(request_sha256) = 32))
);

ALTER TABLE ONLY public.idempotency_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE public.ingestion_runs (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    mode text NOT NULL,
    status text NOT NULL,
    catalog text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    fence bigint NOT NULL,
    resumed_from uuid,
    bronze_prefix text,
    error_code text,
    error text,
    stats_json jsonb DEFAULT '{}'::jsonb NOT NULL,
    requested_by text DEFAULT ''::text NOT NULL,
    trigger text DEFAULT 'cli'::text NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    cancel_requested_at timestamp with time zone,
    served_from timestamp with time zone,
    CONSTRAINT ingestion_runs_check CHECK (((ended_at IS NULL) = (status = ANY (ARRAY['queued'::text, 'running'::text, 'stalled'::text])))),
    CONSTRAINT ingestion_runs_mode_check CHECK ((mode = ANY (ARRAY['full'::text, 'incremental'::text, 'reingest'::text, 'replay'::text, 'fetch'::text]))),
    CONSTRAINT ingestion_runs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'stalled'::text, 'succeeded'::text, 'partial'::text, 'failed'::text, 'cancelled'::text]))),
    CONSTRAINT ingestion_runs_trigger_check CHECK ((trigger = ANY (ARRAY['api'::text, 'schedule'::text, 'event'::text, 'cli'::text])))
);

ALTER TABLE ONLY public.ingestion_runs FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.ingestion_runs.served_from IS 'AWS''s Date of the first answer that the run put into bronze: what a re-ingest orders runs by.';

CREATE TABLE public.jobs (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    mode text NOT NULL,
    run_id uuid NOT NULL,
    priority smallint DEFAULT 50 NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    claim bigint DEFAULT 0 NOT NULL,
    holder text,
    lease_expires_at timestamp with time zone,
    heartbeat_at timestamp with time zone,
    progress bigint DEFAULT 0 NOT NULL,
    progress_at timestamp with time zone,
    requested_by text DEFAULT ''::text NOT NULL,
    trigger text NOT NULL,
    cancel_requested_at timestamp with time zone,
    error_code text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    stalls_at timestamp with time zone,
    CONSTRAINT jobs_check CHECK (((state = 'running'::text) = (holder IS NOT NULL))),
    CONSTRAINT jobs_check1 CHECK (((state = 'running'::text) = (lease_expires_at IS NOT NULL))),
    CONSTRAINT jobs_check2 CHECK (((ended_at IS NULL) = (state = ANY (ARRAY['queued'::text, 'running'::text])))),
    CONSTRAINT jobs_kind_check CHECK ((kind = ANY (ARRAY['sync'::text, 'fetch'::text]))),
    CONSTRAINT jobs_kind_of_mode CHECK (((kind = 'fetch'::text) = (mode = 'fetch'::text))),
    CONSTRAINT jobs_mode_check CHECK ((mode = ANY (ARRAY['full'::text, 'incremental'::text, 'fetch'::text]))),
    CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text]))),
    CONSTRAINT jobs_trigger_check CHECK ((trigger = ANY (ARRAY['api'::text, 'schedule'::text, 'event'::text, 'cli'::text])))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='200', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.0', autovacuum_analyze_threshold='500');

ALTER TABLE ONLY public.jobs FORCE ROW LEVEL SECURITY;

CREATE SEQUENCE public.jobs_low_water
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.leases (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    fence bigint NOT NULL,
    run_id uuid,
    holder text NOT NULL,
    acquired_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    is_hinted boolean DEFAULT true NOT NULL
);

ALTER TABLE ONLY public.leases FORCE ROW LEVEL SECURITY;

CREATE TABLE public.mapping_versions (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    version integer NOT NULL,
    run_id uuid NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.mapping_versions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.partner_events (
    tenant_id uuid NOT NULL,
    event_id text NOT NULL,
    connector_id bigint NOT NULL,
    source text NOT NULL,
    detail_type text NOT NULL,
    catalog text DEFAULT ''::text NOT NULL,
    event_time timestamp with time zone NOT NULL,
    entity text,
    record_key text,
    disposition text NOT NULL,
    body text,
    deliveries integer DEFAULT 1 NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT partner_events_disposition_check CHECK ((disposition = ANY (ARRAY['fetch'::text, 'nothing'::text, 'other_catalog'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.partner_events FORCE ROW LEVEL SECURITY;

CREATE TABLE public.partnercentral_aws_summaries (
    tenant_id uuid NOT NULL,
    catalog text NOT NULL,
    pc_opportunity_id text NOT NULL,
    origin text,
    involvement_type text,
    involvement_type_change_reason text,
    visibility text,
    stage text,
    closed_lost_reason text,
    next_steps text,
    target_close_date date,
    engagement_score text,
    next_best_actions text,
    expected_spend_amount numeric,
    expected_spend_currency text,
    cosell_motion text,
    solution_ids jsonb,
    aws_product_ids jsonb,
    source_version text NOT NULL,
    source_modified_at timestamp with time zone NOT NULL,
    payload_json jsonb NOT NULL,
    payload_sha256 bytea NOT NULL,
    mapping_version integer NOT NULL,
    bronze_key text NOT NULL,
    bronze_line integer NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_run uuid NOT NULL,
    missed_full_scans smallint DEFAULT 0 NOT NULL,
    missing_since timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    listed_version text,
    accepted_key text,
    older_seen smallint DEFAULT 0 NOT NULL,
    older_since timestamp with time zone,
    CONSTRAINT partnercentral_aws_summaries_catalog_check CHECK ((catalog = ANY (ARRAY['AWS'::text, 'Sandbox'::text])))
)
WITH (fillfactor='90');
ALTER TABLE ONLY public.partnercentral_aws_summaries ALTER COLUMN payload_json SET COMPRESSION lz4;

ALTER TABLE ONLY public.partnercentral_aws_summaries FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partnercentral_aws_summaries.listed_version IS 'The version''s name in AWS''s list where it is not source_version; NULL: it is.';

COMMENT ON COLUMN public.partnercentral_aws_summaries.accepted_key IS 'Bronze object of the version that an operator accepted although it was older than the held one; records of earlier runs do not count any more.';

COMMENT ON COLUMN public.partnercentral_aws_summaries.older_seen IS 'Runs in a row to which AWS served an older version than is held; older_since: the first of them.';

CREATE TABLE public.partnercentral_leads (
    tenant_id uuid NOT NULL,
    catalog text NOT NULL,
    lead_id text NOT NULL,
    state text NOT NULL,
    arn text,
    invitation_id text,
    title text,
    description text,
    sender_company_name text,
    customer_company_name text,
    customer_industry text,
    customer_website_url text,
    customer_country_code text,
    customer_aws_maturity text,
    customer_market_segment text,
    qualification_status text,
    readiness_score text,
    source_type text,
    source_name text,
    use_case text,
    contact_business_title text,
    contact_email text,
    contact_first_name text,
    contact_last_name text,
    contact_phone text,
    invited_at timestamp with time zone,
    expires_at timestamp with time zone,
    source_created_at timestamp with time zone,
    source_version text NOT NULL,
    source_modified_at timestamp with time zone NOT NULL,
    source_rank smallint DEFAULT 0 NOT NULL,
    payload_json jsonb NOT NULL,
    payload_sha256 bytea NOT NULL,
    mapping_version integer NOT NULL,
    bronze_key text NOT NULL,
    bronze_line integer NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_run uuid NOT NULL,
    missed_full_scans smallint DEFAULT 0 NOT NULL,
    missing_since timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    kept_from jsonb,
    listed_version text,
    accepted_key text,
    older_seen smallint DEFAULT 0 NOT NULL,
    older_since timestamp with time zone,
    CONSTRAINT partnercentral_leads_catalog_check CHECK ((catalog = ANY (ARRAY['AWS'::text, 'Sandbox'::text])))
)
WITH (fillfactor='90');
ALTER TABLE ONLY public.partnercentral_leads ALTER COLUMN payload_json SET COMPRESSION lz4;

ALTER TABLE ONLY public.partnercentral_leads FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partnercentral_leads.state IS 'invited | accepted | rejected | expired; a status that AWS adds later stands as AWS spells it.';

COMMENT ON COLUMN public.partnercentral_leads.source_modified_at IS 'ModifiedAt of the engagement; for an invitation, when AWS served what the row holds.';

COMMENT ON COLUMN public.partnercentral_leads.kept_from IS 'NULL: the newest record told every column. Else the columns it did not tell, each with the time (microseconds) of the record that did; 0: none did.';

COMMENT ON COLUMN public.partnercentral_leads.listed_version IS 'The version''s name in AWS''s list where it is not source_version; NULL: it is.';

COMMENT ON COLUMN public.partnercentral_leads.accepted_key IS 'Bronze object of the version that an operator accepted although it was older than the held one; records of earlier runs do not count any more.';

COMMENT ON COLUMN public.partnercentral_leads.older_seen IS 'Runs in a row to which AWS served an older version than is held; older_since: the first of them.';

CREATE TABLE public.partnercentral_opportunities (
    tenant_id uuid NOT NULL,
    catalog text NOT NULL,
    pc_opportunity_id text NOT NULL,
    arn text,
    partner_opportunity_identifier text,
    opportunity_type text,
    stage text,
    review_status text,
    review_status_reason text,
    review_comments text,
    closed_lost_reason text,
    next_steps text,
    target_close_date date,
    customer_company_name text,
    customer_industry text,
    customer_website_url text,
    customer_country_code text,
    customer_state_or_region text,
    customer_postal_code text,
    customer_aws_account_id text,
    project_title text,
    customer_use_case text,
    delivery_models jsonb,
    primary_needs_from_aws jsonb,
    national_security text,
    marketing_source text,
    expected_spend_amount numeric,
    expected_spend_currency text,
    expected_spend_frequency text,
    expected_revenue_usd numeric,
    software_revenue_amount numeric,
    software_revenue_currency text,
    solution_ids jsonb,
    aws_product_ids jsonb,
    source_created_at timestamp with time zone,
    source_version text NOT NULL,
    source_modified_at timestamp with time zone NOT NULL,
    payload_json jsonb NOT NULL,
    payload_sha256 bytea NOT NULL,
    mapping_version integer NOT NULL,
    bronze_key text NOT NULL,
    bronze_line integer NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_run uuid NOT NULL,
    missed_full_scans smallint DEFAULT 0 NOT NULL,
    missing_since timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    listed_version text,
    accepted_key text,
    older_seen smallint DEFAULT 0 NOT NULL,
    older_since timestamp with time zone,
    total_contract_value numeric,
    total_contract_currency text,
    contract_months bigint,
    CONSTRAINT partnercentral_opportunities_catalog_check CHECK ((catalog = ANY (ARRAY['AWS'::text, 'Sandbox'::text])))
)
WITH (fillfactor='90');
ALTER TABLE ONLY public.partnercentral_opportunities ALTER COLUMN payload_json SET COMPRESSION lz4;

ALTER TABLE ONLY public.partnercentral_opportunities FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partnercentral_opportunities.expected_revenue_usd IS 'Amount of the first ExpectedCustomerSpend element if its currency is USD: the monthly amount as AWS gives it, not converted, not annualised.';

COMMENT ON COLUMN public.partnercentral_opportunities.updated_at IS 'When this row last changed here; source_modified_at is when AWS changed it.';

COMMENT ON COLUMN public.partnercentral_opportunities.listed_version IS 'The version''s name in AWS''s list where it is not source_version; NULL: it is.';

COMMENT ON COLUMN public.partnercentral_opportunities.accepted_key IS 'Bronze object of the version that an operator accepted although it was older than the held one; records of earlier runs do not count any more.';

COMMENT ON COLUMN public.partnercentral_opportunities.older_seen IS 'Runs in a row to which AWS served an older version than is held; older_since: the first of them.';

CREATE TABLE public.partnercentral_profiles (
    tenant_id uuid NOT NULL,
    catalog text NOT NULL,
    partner_id text NOT NULL,
    arn text,
    legal_name text,
    profile_id text,
    display_name text,
    description text,
    website_url text,
    logo_url text,
    primary_solution_type text,
    industry_segments jsonb,
    translation_source_locale text,
    localized_contents jsonb,
    headquarters_country_code text,
    headquarters_subdivision_code text,
    email_domains jsonb,
    visibility text,
    source_created_at timestamp with time zone,
    source_version text NOT NULL,
    source_modified_at timestamp with time zone NOT NULL,
    companion_json jsonb,
    companion_sha256 bytea,
    payload_json jsonb NOT NULL,
    payload_sha256 bytea NOT NULL,
    mapping_version integer NOT NULL,
    bronze_key text NOT NULL,
    bronze_line integer NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_run uuid NOT NULL,
    missed_full_scans smallint DEFAULT 0 NOT NULL,
    missing_since timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    listed_version text,
    accepted_key text,
    older_seen smallint DEFAULT 0 NOT NULL,
    older_since timestamp with time zone,
    CONSTRAINT partnercentral_profiles_catalog_check CHECK ((catalog = ANY (ARRAY['AWS'::text, 'Sandbox'::text])))
)
WITH (fillfactor='90');
ALTER TABLE ONLY public.partnercentral_profiles ALTER COLUMN companion_json SET COMPRESSION lz4;
ALTER TABLE ONLY public.partnercentral_profiles ALTER COLUMN payload_json SET COMPRESSION lz4;

ALTER TABLE ONLY public.partnercentral_profiles FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partnercentral_profiles.listed_version IS 'The version''s name in AWS''s list where it is not source_version; NULL: it is.';

COMMENT ON COLUMN public.partnercentral_profiles.accepted_key IS 'Bronze object of the version that an operator accepted although it was older than the held one; records of earlier runs do not count any more.';

COMMENT ON COLUMN public.partnercentral_profiles.older_seen IS 'Runs in a row to which AWS served an older version than is held; older_since: the first of them.';

CREATE TABLE public.partnercentral_solutions (
    tenant_id uuid NOT NULL,
    catalog text NOT NULL,
    solution_id text NOT NULL,
    arn text,
    name text,
    status text,
    category text,
    marketplace_solution_arn text,
    source_created_at timestamp with time zone,
    source_version text NOT NULL,
    source_modified_at timestamp with time zone NOT NULL,
    payload_json jsonb NOT NULL,
    payload_sha256 bytea NOT NULL,
    mapping_version integer NOT NULL,
    bronze_key text NOT NULL,
    bronze_line integer NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_run uuid NOT NULL,
    missed_full_scans smallint DEFAULT 0 NOT NULL,
    missing_since timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    listed_version text,
    accepted_key text,
    older_seen smallint DEFAULT 0 NOT NULL,
    older_since timestamp with time zone,
    CONSTRAINT partnercentral_solutions_catalog_check CHECK ((catalog = ANY (ARRAY['AWS'::text, 'Sandbox'::text])))
)
WITH (fillfactor='90');
ALTER TABLE ONLY public.partnercentral_solutions ALTER COLUMN payload_json SET COMPRESSION lz4;

ALTER TABLE ONLY public.partnercentral_solutions FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partnercentral_solutions.listed_version IS 'The version''s name in AWS''s list where it is not source_version; NULL: it is.';

COMMENT ON COLUMN public.partnercentral_solutions.accepted_key IS 'Bronze object of the version that an operator accepted although it was older than the held one; records of earlier runs do not count any more.';

COMMENT ON COLUMN public.partnercentral_solutions.older_seen IS 'Runs in a row to which AWS served an older version than is held; older_since: the first of them.';

CREATE TABLE public.pcw_functions (
    name text NOT NULL,
    version integer NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.pcw_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.quota_state (
    aws_account_id text NOT NULL,
    service text NOT NULL,
    class text NOT NULL,
    next_slot timestamp with time zone NOT NULL,
    paused_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    granted tstzmultirange DEFAULT '{}'::tstzmultirange NOT NULL
);

CREATE TABLE public.quota_usage (
    aws_account_id text NOT NULL,
    service text NOT NULL,
    class text NOT NULL,
    bucket timestamp with time zone NOT NULL,
    calls bigint NOT NULL
);

CREATE TABLE public.run_parts (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    part integer NOT NULL,
    bronze_key text NOT NULL,
    sha256 bytea NOT NULL,
    bytes bigint NOT NULL,
    records integer NOT NULL,
    committed_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.run_parts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.schedules (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    mode text NOT NULL,
    spec text NOT NULL,
    next_due timestamp with time zone NOT NULL,
    last_due timestamp with time zone,
    last_run uuid,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schedules_mode_check CHECK ((mode = ANY (ARRAY['full'::text, 'incremental'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.schedules FORCE ROW LEVEL SECURITY;

CREATE TABLE public.schema_drift (
    tenant_id uuid NOT NULL,
    connector_id bigint NOT NULL,
    entity text NOT NULL,
    column_name text DEFAULT ''::text NOT NULL,
    pointer text DEFAULT ''::text NOT NULL,
    found text NOT NULL,
    records bigint NOT NULL,
    first_seen_run uuid NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    id bigint NOT NULL,
    kind text DEFAULT 'misfit'::text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    operation text DEFAULT ''::text NOT NULL,
    expected text DEFAULT ''::text NOT NULL,
    sample_record text,
    bronze_key text,
    bronze_line integer,
    last_seen_run uuid,
    baseline_rate numeric(5,4),
    observed_rate numeric(5,4),
    note text,
    accepted_at timestamp with time zone,
    CONSTRAINT schema_drift_kind_check CHECK ((kind = ANY (ARRAY['unknown_member'::text, 'missing_member'::text, 'type_change'::text, 'new_enum'::text, 'null_rate'::text, 'misfit'::text]))),
    CONSTRAINT schema_drift_status_check CHECK ((status = ANY (ARRAY['open'::text, 'accepted'::text])))
);

ALTER TABLE ONLY public.schema_drift FORCE ROW LEVEL SECURITY;

ALTER TABLE public.schema_drift ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.schema_drift_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tenants (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    config text DEFAULT ''::text NOT NULL,
    lake text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    lake_id text,
    lake_seen_at text,
    CONSTRAINT tenants_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text))
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY public.api_cursor_keys
    ADD CONSTRAINT api_cursor_keys_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.aws_calls
    ADD CONSTRAINT aws_calls_pkey PRIMARY KEY (aws_account_id, service, operation, spender, bucket);

ALTER TABLE ONLY public.aws_operations
    ADD CONSTRAINT aws_operations_pkey PRIMARY KEY (aws_account_id, service, operation);

ALTER TABLE ONLY public.change_outbox
    ADD CONSTRAINT change_outbox_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.change_outbox
    ADD CONSTRAINT change_outbox_tenant_id_event_id_key UNIQUE (tenant_id, event_id);

ALTER TABLE ONLY public.connectors
    ADD CONSTRAINT connectors_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.connectors
    ADD CONSTRAINT connectors_tenant_id_kind_key UNIQUE (tenant_id, kind);

ALTER TABLE ONLY public.cursors
    ADD CONSTRAINT cursors_pkey PRIMARY KEY (tenant_id, connector_id, entity, catalog, filter_hash);

ALTER TABLE ONLY public.dead_letter_events
    ADD CONSTRAINT dead_letter_events_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.dead_letter_replays
    ADD CONSTRAINT dead_letter_replays_pkey PRIMARY KEY (tenant_id, run_id);

ALTER TABLE ONLY public.dead_letter_trials
    ADD CONSTRAINT dead_letter_trials_pkey PRIMARY KEY (tenant_id, fingerprint, mapping_version);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.drift_baseline
    ADD CONSTRAINT drift_baseline_pkey PRIMARY KEY (tenant_id, connector_id, entity, catalog, operation, is_column, name);

ALTER TABLE ONLY public.event_checks
    ADD CONSTRAINT event_checks_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.event_coverage
    ADD CONSTRAINT event_coverage_pkey PRIMARY KEY (tenant_id, connector_id, entity, hour);

ALTER TABLE ONLY public.event_inbox
    ADD CONSTRAINT event_inbox_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.fetch_requests
    ADD CONSTRAINT fetch_requests_pkey PRIMARY KEY (tenant_id, connector_id, entity, catalog, record_key);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, principal, key);

ALTER TABLE ONLY public.ingestion_runs
    ADD CONSTRAINT ingestion_runs_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (tenant_id, connector_id, entity);

ALTER TABLE ONLY public.mapping_versions
    ADD CONSTRAINT mapping_versions_pkey PRIMARY KEY (tenant_id, connector_id, entity);

ALTER TABLE ONLY public.partner_events
    ADD CONSTRAINT partner_events_pkey PRIMARY KEY (tenant_id, event_id);

ALTER TABLE ONLY public.partnercentral_aws_summaries
    ADD CONSTRAINT partnercentral_aws_summaries_pkey PRIMARY KEY (tenant_id, catalog, pc_opportunity_id);

ALTER TABLE ONLY public.partnercentral_leads
    ADD CONSTRAINT partnercentral_leads_pkey PRIMARY KEY (tenant_id, catalog, lead_id);

ALTER TABLE ONLY public.partnercentral_opportunities
    ADD CONSTRAINT partnercentral_opportunities_pkey PRIMARY KEY (tenant_id, catalog, pc_opportunity_id);

ALTER TABLE ONLY public.partnercentral_profiles
    ADD CONSTRAINT partnercentral_profiles_pkey PRIMARY KEY (tenant_id, catalog, partner_id);

ALTER TABLE ONLY public.partnercentral_solutions
    ADD CONSTRAINT partnercentral_solutions_pkey PRIMARY KEY (tenant_id, catalog, solution_id);

ALTER TABLE ONLY public.pcw_functions
    ADD CONSTRAINT pcw_functions_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.pcw_migrations
    ADD CONSTRAINT pcw_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.quota_state
    ADD CONSTRAINT quota_state_pkey PRIMARY KEY (aws_account_id, service, class);

ALTER TABLE ONLY public.quota_usage
    ADD CONSTRAINT quota_usage_pkey PRIMARY KEY (aws_account_id, service, class, bucket);

ALTER TABLE ONLY public.run_parts
    ADD CONSTRAINT run_parts_pkey PRIMARY KEY (tenant_id, run_id, part);

ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (tenant_id, connector_id, entity, mode);

ALTER TABLE ONLY public.schema_drift
    ADD CONSTRAINT schema_drift_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_lake_key UNIQUE (lake);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_name_key UNIQUE (name);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

CREATE UNIQUE INDEX api_tokens_by_id ON public.api_tokens USING btree (id);

CREATE UNIQUE INDEX api_tokens_by_name ON public.api_tokens USING btree (tenant_id, name) WHERE (revoked_at IS NULL);

CREATE INDEX change_outbox_by_record ON public.change_outbox USING btree (tenant_id, record_key, id) WHERE (state = 'pending'::text);

CREATE INDEX change_outbox_ended ON public.change_outbox USING btree (tenant_id, ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX change_outbox_pending ON public.change_outbox USING btree (tenant_id, id) WHERE (state = 'pending'::text);

CREATE INDEX dead_letter_events_by_letter ON public.dead_letter_events USING btree (tenant_id, letter_id, id);

CREATE INDEX dead_letters_by_cause ON public.dead_letters USING btree (tenant_id, fingerprint) WHERE (state = 'open'::text);

CREATE INDEX dead_letters_by_message ON public.dead_letters USING btree (tenant_id, message_id) WHERE (stage = 'event'::text);

CREATE INDEX dead_letters_by_time ON public.dead_letters USING btree (tenant_id, last_seen_at DESC);

CREATE UNIQUE INDEX dead_letters_open ON public.dead_letters USING btree (tenant_id, connector_id, entity, catalog, record_key, stage) WHERE (state = 'open'::text);

CREATE INDEX dead_letters_patched ON public.dead_letters USING btree (tenant_id, connector_id, entity) WHERE (patch IS NOT NULL);

CREATE INDEX dead_letters_undelivered ON public.dead_letters USING btree (tenant_id, first_seen_at) WHERE ((state = 'open'::text) AND (delivered_at IS NULL));

CREATE INDEX dead_letters_unremoved ON public.dead_letters USING btree (tenant_id, message_id) WHERE ((delivered_at IS NOT NULL) AND (removed_at IS NULL));

CREATE INDEX event_checks_by_time ON public.event_checks USING btree (tenant_id, found_at);

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (tenant_id, created_at);

CREATE INDEX ingestion_runs_by_entity ON public.ingestion_runs USING btree (tenant_id, connector_id, entity, started_at DESC);

CREATE INDEX ingestion_runs_by_start ON public.ingestion_runs USING btree (tenant_id, connector_id, started_at DESC);

CREATE INDEX ingestion_runs_open ON public.ingestion_runs USING btree (tenant_id, connector_id, entity) WHERE (ended_at IS NULL);

CREATE INDEX jobs_beating ON public.jobs USING btree (heartbeat_at) WHERE (state = 'running'::text);

CREATE INDEX jobs_by_run ON public.jobs USING btree (tenant_id, run_id);

CREATE INDEX jobs_due ON public.jobs USING btree (not_before) WHERE (state = 'queued'::text);

CREATE INDEX jobs_ended ON public.jobs USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE UNIQUE INDEX jobs_one_open_fetch ON public.jobs USING btree (tenant_id, connector_id, entity) WHERE ((kind = 'fetch'::text) AND (state = ANY (ARRAY['queued'::text, 'running'::text])));

CREATE UNIQUE INDEX jobs_one_open_sync ON public.jobs USING btree (tenant_id, connector_id, entity) WHERE ((kind = 'sync'::text) AND (state = ANY (ARRAY['queued'::text, 'running'::text])));

CREATE INDEX partner_events_by_age ON public.partner_events USING btree (tenant_id, received_at);

CREATE INDEX partner_events_by_record ON public.partner_events USING btree (tenant_id, entity, record_key, event_time) WHERE (entity IS NOT NULL);

CREATE INDEX partnercentral_aws_summaries_accepted ON public.partnercentral_aws_summaries USING btree (tenant_id) WHERE (accepted_key IS NOT NULL);

CREATE INDEX partnercentral_aws_summaries_older ON public.partnercentral_aws_summaries USING btree (tenant_id) WHERE (older_seen > 0);

CREATE INDEX partnercentral_aws_summaries_updated ON public.partnercentral_aws_summaries USING btree (tenant_id, updated_at);

CREATE INDEX partnercentral_leads_accepted ON public.partnercentral_leads USING btree (tenant_id) WHERE (accepted_key IS NOT NULL);

CREATE INDEX partnercentral_leads_older ON public.partnercentral_leads USING btree (tenant_id) WHERE (older_seen > 0);

CREATE INDEX partnercentral_leads_updated ON public.partnercentral_leads USING btree (tenant_id, updated_at);

CREATE INDEX partnercentral_opportunities_accepted ON public.partnercentral_opportunities USING btree (tenant_id) WHERE (accepted_key IS NOT NULL);

CREATE INDEX partnercentral_opportunities_older ON public.partnercentral_opportunities USING btree (tenant_id) WHERE (older_seen > 0);

CREATE INDEX partnercentral_opportunities_updated ON public.partnercentral_opportunities USING btree (tenant_id, updated_at);

CREATE INDEX partnercentral_profiles_accepted ON public.partnercentral_profiles USING btree (tenant_id) WHERE (accepted_key IS NOT NULL);

CREATE INDEX partnercentral_profiles_older ON public.partnercentral_profiles USING btree (tenant_id) WHERE (older_seen > 0);

CREATE INDEX partnercentral_profiles_updated ON public.partnercentral_profiles USING btree (tenant_id, updated_at);

CREATE INDEX partnercentral_solutions_accepted ON public.partnercentral_solutions USING btree (tenant_id) WHERE (accepted_key IS NOT NULL);

CREATE INDEX partnercentral_solutions_older ON public.partnercentral_solutions USING btree (tenant_id) WHERE (older_seen > 0);

CREATE INDEX partnercentral_solutions_updated ON public.partnercentral_solutions USING btree (tenant_id, updated_at);

CREATE UNIQUE INDEX schema_drift_same ON public.schema_drift USING btree (tenant_id, connector_id, entity, kind, operation, pointer, column_name, found);

CREATE TRIGGER ingestion_runs_guard BEFORE UPDATE ON public.ingestion_runs FOR EACH ROW EXECUTE FUNCTION public.ingestion_runs_guard();

CREATE TRIGGER tenant_lake_forget BEFORE UPDATE ON public.tenants FOR EACH ROW WHEN ((old.lake IS DISTINCT FROM new.lake)) EXECUTE FUNCTION public.tenant_lake_forget();

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.change_outbox
    ADD CONSTRAINT change_outbox_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.connectors
    ADD CONSTRAINT connectors_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.cursors
    ADD CONSTRAINT cursors_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.dead_letter_events
    ADD CONSTRAINT dead_letter_events_tenant_id_letter_id_fkey FOREIGN KEY (tenant_id, letter_id) REFERENCES public.dead_letters(tenant_id, id);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES public.ingestion_runs(tenant_id, id);

ALTER TABLE ONLY public.drift_baseline
    ADD CONSTRAINT drift_baseline_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.event_checks
    ADD CONSTRAINT event_checks_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.event_coverage
    ADD CONSTRAINT event_coverage_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.event_inbox
    ADD CONSTRAINT event_inbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.fetch_requests
    ADD CONSTRAINT fetch_requests_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.ingestion_runs
    ADD CONSTRAINT ingestion_runs_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.ingestion_runs
    ADD CONSTRAINT ingestion_runs_tenant_id_resumed_from_fkey FOREIGN KEY (tenant_id, resumed_from) REFERENCES public.ingestion_runs(tenant_id, id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES public.ingestion_runs(tenant_id, id);

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.mapping_versions
    ADD CONSTRAINT mapping_versions_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.partner_events
    ADD CONSTRAINT partner_events_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.run_parts
    ADD CONSTRAINT run_parts_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES public.ingestion_runs(tenant_id, id);

ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE ONLY public.schema_drift
    ADD CONSTRAINT schema_drift_tenant_id_connector_id_fkey FOREIGN KEY (tenant_id, connector_id) REFERENCES public.connectors(tenant_id, id);

ALTER TABLE public.api_tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.change_outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.connectors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.cursors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letter_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letter_replays ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letter_trials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letters ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.drift_baseline ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_checks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_coverage ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.event_inbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.fetch_requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.idempotency_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ingestion_runs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.leases ENABLE ROW LEVEL SECURITY;

CREATE POLICY lookup ON public.api_tokens FOR SELECT TO pcw_owner USING (true);

ALTER TABLE public.mapping_versions ENABLE ROW LEVEL SECURITY;

CREATE POLICY operator ON public.api_tokens FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.change_outbox FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.connectors FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.cursors FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.dead_letter_events FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.dead_letter_replays FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.dead_letter_trials FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.dead_letters FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.drift_baseline FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.event_checks FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.event_coverage FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.event_inbox FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.fetch_requests FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.idempotency_keys FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.ingestion_runs FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.jobs FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.leases FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.mapping_versions FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.partner_events FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.partnercentral_aws_summaries FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.partnercentral_leads FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.partnercentral_opportunities FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.partnercentral_profiles FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.partnercentral_solutions FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.run_parts FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.schedules FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.schema_drift FOR SELECT TO pcw_operator USING ((tenant_id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

CREATE POLICY operator ON public.tenants FOR SELECT TO pcw_operator USING ((id = ( SELECT COALESCE(public.pcw_tenant(), '00000000-0000-0000-0000-000000000001'::uuid) AS "coalesce")));

ALTER TABLE public.partner_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partnercentral_aws_summaries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partnercentral_leads ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partnercentral_opportunities ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partnercentral_profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partnercentral_solutions ENABLE ROW LEVEL SECURITY;

CREATE POLICY queue ON public.jobs TO pcw_owner USING (true) WITH CHECK (true);

CREATE POLICY registry ON public.tenants TO pcw_owner USING (true) WITH CHECK (true);

ALTER TABLE public.run_parts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.schedules ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.schema_drift ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON public.api_tokens TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.change_outbox TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.connectors TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.cursors TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.dead_letter_events TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.dead_letter_replays TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.dead_letter_trials TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.dead_letters TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.drift_baseline TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.event_checks TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.event_coverage TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.event_inbox TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.fetch_requests TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.idempotency_keys TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.ingestion_runs TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.jobs TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.leases TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.mapping_versions TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.partner_events TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.partnercentral_aws_summaries TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.partnercentral_leads TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.partnercentral_opportunities TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.partnercentral_profiles TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.partnercentral_solutions TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.run_parts TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.schedules TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.schema_drift TO pcw_owner, pcw_service USING ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((tenant_id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

CREATE POLICY service ON public.tenants TO pcw_owner, pcw_service USING ((id = ( SELECT public.pcw_tenant() AS pcw_tenant))) WITH CHECK ((id = ( SELECT public.pcw_tenant() AS pcw_tenant)));

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

GRANT ALL ON SCHEMA public TO pcw_owner;
GRANT USAGE ON SCHEMA public TO pcw_service;
GRANT USAGE ON SCHEMA public TO pcw_operator;

REVOKE ALL ON FUNCTION public.api_cursor_key() FROM PUBLIC;
GRANT ALL ON FUNCTION public.api_cursor_key() TO pcw_service;

REVOKE ALL ON FUNCTION public.api_token_find(token_id text, OUT tenant_id uuid, OUT name text, OUT principal text, OUT kind text, OUT scopes text[], OUT secret_sha256 bytea, OUT is_live boolean, OUT lives_us bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.api_token_find(token_id text, OUT tenant_id uuid, OUT name text, OUT principal text, OUT kind text, OUT scopes text[], OUT secret_sha256 bytea, OUT is_live boolean, OUT lives_us bigint) TO pcw_service;

REVOKE ALL ON FUNCTION public.api_tokens_live() FROM PUBLIC;
GRANT ALL ON FUNCTION public.api_tokens_live() TO pcw_service;

REVOKE ALL ON FUNCTION public.calls_note(account text, svc text, cls text, op text, who text, ok bigint, throttles bigint, refusals bigint, failures bigint, error_code text, aws_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.calls_note(account text, svc text, cls text, op text, who text, ok bigint, throttles bigint, refusals bigint, failures bigint, error_code text, aws_error text) TO pcw_service;

REVOKE ALL ON FUNCTION public.calls_read(account text, svc text, since interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.calls_read(account text, svc text, since interval) TO pcw_service;
GRANT ALL ON FUNCTION public.calls_read(account text, svc text, since interval) TO pcw_operator;

REVOKE ALL ON FUNCTION public.calls_totals(account text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.calls_totals(account text) TO pcw_service;
GRANT ALL ON FUNCTION public.calls_totals(account text) TO pcw_operator;

REVOKE ALL ON FUNCTION public.jobs_claim(who text, lease interval, stall interval, is_thorough boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.jobs_claim(who text, lease interval, stall interval, is_thorough boolean) TO pcw_service;

REVOKE ALL ON FUNCTION public.jobs_mark() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.jobs_next_at() FROM PUBLIC;
GRANT ALL ON FUNCTION public.jobs_next_at() TO pcw_service;

REVOKE ALL ON FUNCTION public.jobs_prune(older_than interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.jobs_prune(older_than interval) TO pcw_service;

REVOKE ALL ON FUNCTION public.operations_read(account text, svc text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.operations_read(account text, svc text) TO pcw_service;
GRANT ALL ON FUNCTION public.operations_read(account text, svc text) TO pcw_operator;

GRANT ALL ON FUNCTION public.pcw_dlq_fingerprint(entity text, stage text, code text, error text, context jsonb) TO pcw_service;
GRANT ALL ON FUNCTION public.pcw_dlq_fingerprint(entity text, stage text, code text, error text, context jsonb) TO pcw_operator;

REVOKE ALL ON FUNCTION public.pcw_protect(tenant_table regclass, tenant_column name) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.pcw_refuse_other_tenants(live regclass, tenant uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.pcw_shadow_make(live regclass, tenant uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.pcw_shadow_swap(live regclass, id_column name, expected_lost bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.quota_buckets(account text, svc text, cls text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.quota_buckets(account text, svc text, cls text) TO pcw_service;
GRANT ALL ON FUNCTION public.quota_buckets(account text, svc text, cls text) TO pcw_operator;

REVOKE ALL ON FUNCTION public.quota_last_second(account text, svc text, cls text, interval_us bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.quota_last_second(account text, svc text, cls text, interval_us bigint) TO pcw_service;
GRANT ALL ON FUNCTION public.quota_last_second(account text, svc text, cls text, interval_us bigint) TO pcw_operator;

REVOKE ALL ON FUNCTION public.quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint, OUT granted integer, OUT delay_us bigint, OUT day_left bigint, OUT free_at timestamp with time zone, OUT slots_end timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint, OUT granted integer, OUT delay_us bigint, OUT day_left bigint, OUT free_at timestamp with time zone, OUT slots_end timestamp with time zone) TO pcw_service;

REVOKE ALL ON FUNCTION public.quota_pause(account text, svc text, cls text, pause_us bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.quota_pause(account text, svc text, cls text, pause_us bigint) TO pcw_service;

REVOKE ALL ON FUNCTION public.quota_read(account text, svc text, cls text, OUT used_last_minute bigint, OUT used_last_hour bigint, OUT used_24h bigint, OUT paused_until timestamp with time zone, OUT full_again_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.quota_read(account text, svc text, cls text, OUT used_last_minute bigint, OUT used_last_hour bigint, OUT used_24h bigint, OUT paused_until timestamp with time zone, OUT full_again_at timestamp with time zone) TO pcw_service;
GRANT ALL ON FUNCTION public.quota_read(account text, svc text, cls text, OUT used_last_minute bigint, OUT used_last_hour bigint, OUT used_24h bigint, OUT paused_until timestamp with time zone, OUT full_again_at timestamp with time zone) TO pcw_operator;

REVOKE ALL ON FUNCTION public.quota_return(account text, svc text, cls text, unused integer, leased_at_bucket timestamp with time zone, interval_us bigint, lease_end timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.quota_return(account text, svc text, cls text, unused integer, leased_at_bucket timestamp with time zone, interval_us bigint, lease_end timestamp with time zone) TO pcw_service;

REVOKE ALL ON FUNCTION public.tenant_lake(found_id text, seen_at text, replaces boolean, OUT known_id text, OUT known_at text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenant_lake(found_id text, seen_at text, replaces boolean, OUT known_id text, OUT known_at text) TO pcw_service;

REVOKE ALL ON FUNCTION public.tenant_put(tenant_name text, new_id uuid, new_config text, new_lake text, OUT tenant_id uuid, OUT is_new boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.tenants_read() FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_read() TO pcw_service;

GRANT SELECT,INSERT ON TABLE public.api_tokens TO pcw_service;

GRANT SELECT(tenant_id) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(id) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(name) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(principal) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(kind) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(scopes) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(created_at) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(expires_at) ON TABLE public.api_tokens TO pcw_operator;

GRANT SELECT(revoked_at) ON TABLE public.api_tokens TO pcw_operator;
GRANT UPDATE(revoked_at) ON TABLE public.api_tokens TO pcw_service;

GRANT SELECT(last_used_at) ON TABLE public.api_tokens TO pcw_operator;
GRANT UPDATE(last_used_at) ON TABLE public.api_tokens TO pcw_service;

GRANT SELECT ON TABLE public.aws_calls TO pcw_operator;

GRANT SELECT ON TABLE public.aws_operations TO pcw_operator;

GRANT SELECT ON TABLE public.change_outbox TO pcw_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.change_outbox TO pcw_service;

GRANT SELECT ON TABLE public.connectors TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.connectors TO pcw_service;

GRANT SELECT ON TABLE public.cursors TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.cursors TO pcw_service;

GRANT SELECT ON TABLE public.dead_letter_events TO pcw_operator;
GRANT SELECT,INSERT ON TABLE public.dead_letter_events TO pcw_service;

GRANT SELECT ON TABLE public.dead_letter_replays TO pcw_operator;
GRANT SELECT,INSERT ON TABLE public.dead_letter_replays TO pcw_service;

GRANT SELECT ON TABLE public.dead_letter_trials TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.dead_letter_trials TO pcw_service;

GRANT SELECT ON TABLE public.dead_letters TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.dead_letters TO pcw_service;

GRANT SELECT ON TABLE public.drift_baseline TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.drift_baseline TO pcw_service;

GRANT SELECT ON TABLE public.event_checks TO pcw_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.event_checks TO pcw_service;

GRANT SELECT ON TABLE public.event_coverage TO pcw_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.event_coverage TO pcw_service;

GRANT SELECT ON TABLE public.event_inbox TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.event_inbox TO pcw_service;

GRANT SELECT ON TABLE public.fetch_requests TO pcw_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.fetch_requests TO pcw_service;

GRANT SELECT,INSERT,DELETE ON TABLE public.idempotency_keys TO pcw_service;

GRANT UPDATE(created_at) ON TABLE public.idempotency_keys TO pcw_service;

GRANT SELECT ON TABLE public.ingestion_runs TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.ingestion_runs TO pcw_service;

GRANT SELECT ON TABLE public.jobs TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.jobs TO pcw_service;

GRANT SELECT ON TABLE public.leases TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.leases TO pcw_service;

GRANT SELECT ON TABLE public.mapping_versions TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.mapping_versions TO pcw_service;

GRANT SELECT ON TABLE public.partner_events TO pcw_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partner_events TO pcw_service;

GRANT SELECT ON TABLE public.partnercentral_aws_summaries TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partnercentral_aws_summaries TO pcw_service;

GRANT SELECT ON TABLE public.partnercentral_leads TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partnercentral_leads TO pcw_service;

GRANT SELECT ON TABLE public.partnercentral_opportunities TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partnercentral_opportunities TO pcw_service;

GRANT SELECT ON TABLE public.partnercentral_profiles TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partnercentral_profiles TO pcw_service;

GRANT SELECT ON TABLE public.partnercentral_solutions TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partnercentral_solutions TO pcw_service;

GRANT SELECT ON TABLE public.pcw_functions TO PUBLIC;

GRANT SELECT ON TABLE public.pcw_migrations TO PUBLIC;

GRANT SELECT ON TABLE public.quota_state TO pcw_operator;

GRANT SELECT ON TABLE public.quota_usage TO pcw_operator;

GRANT SELECT ON TABLE public.run_parts TO pcw_operator;
GRANT SELECT,INSERT ON TABLE public.run_parts TO pcw_service;

GRANT SELECT ON TABLE public.schedules TO pcw_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.schedules TO pcw_service;

GRANT SELECT ON TABLE public.schema_drift TO pcw_operator;
GRANT SELECT,INSERT,UPDATE ON TABLE public.schema_drift TO pcw_service;

GRANT SELECT ON TABLE public.tenants TO pcw_operator;
GRANT SELECT ON TABLE public.tenants TO pcw_service;
