-- version 1
-- The budget of AWS calls of an account. Its tables are not tenant tables: two tenants on one AWS account share its quota. They are
-- touched only through these functions. A search path ends with pg_temp: unless it is named last, a caller's temporary table stands
-- before ours, and its triggers would run as the owner.
SET LOCAL ROLE pcw_owner;

-- Leases up to `want` slots. The schedule is a GCRA: slots lie interval_us apart, and after idling at most `burst` of them at once.
-- Times are relative to the database's clock, so no machine's own clock matters. granted = 0 with free_at: the rolling day is spent up
-- to the limit (the rest is kept for others), and free_at is when enough has aged. slots_end is what quota_return is to be told.
-- quota_state.granted holds the parts of the schedule that are granted, of the last seconds and of those to come.
CREATE OR REPLACE FUNCTION quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint,
                            OUT granted integer, OUT delay_us bigint, OUT day_left bigint, OUT free_at timestamptz, OUT slots_end timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

-- Gives the last `unused` slots of a lease back to the day, and to the schedule if nobody leased after them: else the next lease would
-- lie over theirs. `lease_end` NULL: to the day only.
CREATE OR REPLACE FUNCTION quota_return(account text, svc text, cls text, unused integer, leased_at_bucket timestamptz, interval_us bigint, lease_end timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  back interval := unused * interval_us * interval '1 microsecond';
BEGIN
  UPDATE quota_state SET next_slot = next_slot - back, granted = granted - tstzmultirange(tstzrange(next_slot - back, next_slot))
    WHERE aws_account_id = account AND service = svc AND class = cls AND next_slot = lease_end;
  UPDATE quota_usage SET calls = greatest(0, calls - unused)
    WHERE aws_account_id = account AND service = svc AND class = cls
      AND bucket = (SELECT max(bucket) FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket <= leased_at_bucket);
END $$;

-- AWS refused a call: nobody sends before then.
CREATE OR REPLACE FUNCTION quota_pause(account text, svc text, cls text, pause_us bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO quota_state AS s (aws_account_id, service, class, next_slot, paused_until)
    VALUES (account, svc, cls, clock_timestamp(), clock_timestamp() + pause_us * interval '1 microsecond')
    ON CONFLICT (aws_account_id, service, class) DO UPDATE SET paused_until = greatest(s.paused_until, excluded.paused_until);
END $$;

-- What `pcw quota show` prints.
CREATE OR REPLACE FUNCTION quota_read(account text, svc text, cls text, OUT used_last_minute bigint, OUT used_last_hour bigint, OUT used_24h bigint,
                           OUT paused_until timestamptz, OUT full_again_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(sum(calls) FILTER (WHERE bucket > now() - interval '2 minutes'), 0)::bigint,
         coalesce(sum(calls) FILTER (WHERE bucket > now() - interval '61 minutes'), 0)::bigint,
         coalesce(sum(calls), 0)::bigint,
         (SELECT s.paused_until FROM quota_state s WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls AND s.paused_until > now()),
         max(bucket) + interval '24 hours 1 minute'
  FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND calls > 0 AND bucket > now() - interval '24 hours 1 minute'
$$;

-- The minutes of the rolling day, for planning.
CREATE OR REPLACE FUNCTION quota_buckets(account text, svc text, cls text) RETURNS TABLE (bucket timestamptz, calls bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT u.bucket, u.calls FROM quota_usage u
  WHERE u.aws_account_id = account AND u.service = svc AND u.class = cls AND u.calls > 0 AND u.bucket > now() - interval '24 hours 1 minute'
  ORDER BY 1
$$;

-- Calls whose slot lay in the last second, at slots `interval_us` apart; rounded up.
CREATE OR REPLACE FUNCTION quota_last_second(account text, svc text, cls text, interval_us bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(ceil(round(sum(extract(epoch FROM upper(part) - lower(part))) * 1000000 / nullif(interval_us, 0), 3)), 0)::bigint
  FROM quota_state s, unnest(s.granted * tstzmultirange(tstzrange(clock_timestamp() - interval '1 second', clock_timestamp()))) part
  WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls
$$;

REVOKE EXECUTE ON FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint),
  quota_return(text, text, text, integer, timestamptz, bigint, timestamptz), quota_pause(text, text, text, bigint),
  quota_read(text, text, text), quota_buckets(text, text, text), quota_last_second(text, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint),
  quota_return(text, text, text, integer, timestamptz, bigint, timestamptz), quota_pause(text, text, text, bigint),
  quota_read(text, text, text), quota_buckets(text, text, text), quota_last_second(text, text, text, bigint) TO pcw_service;
GRANT EXECUTE ON FUNCTION quota_read(text, text, text), quota_buckets(text, text, text), quota_last_second(text, text, text, bigint)
  TO pcw_operator;

RESET ROLE;
