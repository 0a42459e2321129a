-- Slots given back went to the schedule even when others had leased after them: the next lease then lay over theirs, and the account
-- called faster than it may. Now a lease says where it ends, and only the last one gives its slots back to the schedule.

SET LOCAL ROLE pcw_owner;

DROP FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint);
DROP FUNCTION quota_return(text, text, text, integer, timestamptz, bigint);

-- Leases up to `want` slots; see 0002 and 0003. slots_end is what quota_return is to be told.
CREATE FUNCTION quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint,
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
  UPDATE quota_state SET next_slot = slots_end WHERE aws_account_id = account AND service = svc AND class = cls;
  INSERT INTO quota_usage AS u (aws_account_id, service, class, bucket, calls) VALUES (account, svc, cls, date_trunc('minute', t), granted)
    ON CONFLICT (aws_account_id, service, class, bucket) DO UPDATE SET calls = u.calls + excluded.calls;
  DELETE FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket < t - interval '25 hours';
END $$;

-- Gives the last `unused` slots of a lease back to the day, and to the schedule if nobody leased after them. `lease_end` NULL: to the day only.
CREATE FUNCTION quota_return(account text, svc text, cls text, unused integer, leased_at_bucket timestamptz, interval_us bigint, lease_end timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE quota_state SET next_slot = next_slot - unused * interval_us * interval '1 microsecond'
    WHERE aws_account_id = account AND service = svc AND class = cls AND next_slot = lease_end;
  UPDATE quota_usage SET calls = greatest(0, calls - unused)
    WHERE aws_account_id = account AND service = svc AND class = cls
      AND bucket = (SELECT max(bucket) FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket <= leased_at_bucket);
END $$;

REVOKE EXECUTE ON FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint),
  quota_return(text, text, text, integer, timestamptz, bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quota_lease(text, text, text, integer, bigint, integer, bigint),
  quota_return(text, text, text, integer, timestamptz, bigint, timestamptz) TO pcw_service;

RESET ROLE;
