-- The account-wide budget of AWS calls. Not tenant tables: two tenants on one AWS account share its quota. Touched only through functions.

SET LOCAL ROLE pcw_owner;

-- Calls granted per minute. A row is kept until all of its minute is older than 24 hours.
CREATE TABLE quota_usage (
  aws_account_id text NOT NULL,
  service text NOT NULL,
  class text NOT NULL,
  bucket timestamptz NOT NULL,
  calls bigint NOT NULL,
  PRIMARY KEY (aws_account_id, service, class, bucket)
);
GRANT SELECT ON quota_usage TO pcw_operator;

-- When the next call of the account may be sent, and until when everything pauses.
CREATE TABLE quota_state (
  aws_account_id text NOT NULL,
  service text NOT NULL,
  class text NOT NULL,
  next_slot timestamptz NOT NULL,
  paused_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (aws_account_id, service, class)
);
GRANT SELECT ON quota_state TO pcw_operator;

-- Leases up to `want` slots. The schedule is a GCRA: slots lie interval_us apart, and after idling at most `burst` of them at once.
-- Times are relative to the database's clock, so no machine's own clock matters. granted = 0 with free_at: the rolling day is spent.
CREATE FUNCTION quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint,
                            OUT granted integer, OUT delay_us bigint, OUT day_left bigint, OUT free_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
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
    SELECT min(bucket) + interval '24 hours 1 minute' INTO free_at FROM quota_usage
      WHERE aws_account_id = account AND service = svc AND class = cls AND bucket > t - interval '24 hours 1 minute';
    delay_us := 0;
    RETURN;
  END IF;

  slot := greatest(slot, t - (burst - 1) * step, paused);
  delay_us := (extract(epoch FROM slot - t) * 1000000)::bigint;
  UPDATE quota_state SET next_slot = slot + granted * step WHERE aws_account_id = account AND service = svc AND class = cls;
  INSERT INTO quota_usage AS u (aws_account_id, service, class, bucket, calls) VALUES (account, svc, cls, date_trunc('minute', t), granted)
    ON CONFLICT (aws_account_id, service, class, bucket) DO UPDATE SET calls = u.calls + excluded.calls;
  DELETE FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket < t - interval '25 hours';
END $$;

-- Gives unused slots back to the day, and to the schedule if nobody leased after them.
CREATE FUNCTION quota_return(account text, svc text, cls text, unused integer, leased_at_bucket timestamptz, interval_us bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE quota_state SET next_slot = next_slot - unused * interval_us * interval '1 microsecond'
    WHERE aws_account_id = account AND service = svc AND class = cls;
  UPDATE quota_usage SET calls = greatest(0, calls - unused)
    WHERE aws_account_id = account AND service = svc AND class = cls
      AND bucket = (SELECT max(bucket) FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket <= leased_at_bucket);
END $$;

-- AWS refused a call: nobody sends before then.
CREATE FUNCTION quota_pause(account text, svc text, cls text, pause_us bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO quota_state AS s (aws_account_id, service, class, next_slot, paused_until)
    VALUES (account, svc, cls, clock_timestamp(), clock_timestamp() + pause_us * interval '1 microsecond')
    ON CONFLICT (aws_account_id, service, class) DO UPDATE SET paused_until = greatest(s.paused_until, excluded.paused_until);
END $$;

-- What `pcw quota show` prints.
CREATE FUNCTION quota_read(account text, svc text, cls text, OUT used_last_minute bigint, OUT used_last_hour bigint, OUT used_24h bigint,
                           OUT paused_until timestamptz, OUT full_again_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT coalesce(sum(calls) FILTER (WHERE bucket > now() - interval '2 minutes'), 0)::bigint,
         coalesce(sum(calls) FILTER (WHERE bucket > now() - interval '61 minutes'), 0)::bigint,
         coalesce(sum(calls), 0)::bigint,
         (SELECT s.paused_until FROM quota_state s WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls AND s.paused_until > now()),
         max(bucket) + interval '24 hours 1 minute'
  FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND calls > 0 AND bucket > now() - interval '24 hours 1 minute'
$$;

REVOKE EXECUTE ON FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint), quota_return(text, text, text, integer, timestamptz, bigint),
  quota_pause(text, text, text, bigint), quota_read(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint), quota_return(text, text, text, integer, timestamptz, bigint),
  quota_pause(text, text, text, bigint), quota_read(text, text, text) TO pcw_service;
GRANT EXECUTE ON FUNCTION quota_read(text, text, text) TO pcw_operator;

RESET ROLE;
