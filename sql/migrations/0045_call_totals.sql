-- Counters that only grow, for Prometheus: the ledger of calls forgets after a day. And how much of the last second's quota is granted.

SET LOCAL ROLE pcw_owner;

ALTER TABLE aws_operations
  ADD COLUMN ok bigint NOT NULL DEFAULT 0,
  ADD COLUMN throttled bigint NOT NULL DEFAULT 0,
  ADD COLUMN refused bigint NOT NULL DEFAULT 0,
  ADD COLUMN failed bigint NOT NULL DEFAULT 0;

-- See 0003 and 0004.
CREATE OR REPLACE FUNCTION calls_note(account text, svc text, cls text, op text, who text, ok bigint, throttles bigint, refusals bigint, failures bigint,
                           error_code text, aws_error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

-- How every call of an account ever ended, of all services.
CREATE FUNCTION calls_totals(account text) RETURNS TABLE (service text, operation text, ok bigint, throttled bigint, refused bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.service, o.operation, o.ok, o.throttled, o.refused, o.failed FROM aws_operations o WHERE o.aws_account_id = account ORDER BY 1, 2
$$;

-- The parts of the schedule that are granted, of the last seconds and of those to come: they touch, so there are few.
ALTER TABLE quota_state ADD COLUMN granted tstzmultirange NOT NULL DEFAULT '{}';

-- Leases up to `want` slots; see 0002, 0003 and 0013.
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

-- See 0013.
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

-- Calls whose slot lay in the last second, at slots `interval_us` apart; rounded up.
CREATE FUNCTION quota_last_second(account text, svc text, cls text, interval_us bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(ceil(round(sum(extract(epoch FROM upper(part) - lower(part))) * 1000000 / nullif(interval_us, 0), 3)), 0)::bigint
  FROM quota_state s, unnest(s.granted * tstzmultirange(tstzrange(clock_timestamp() - interval '1 second', clock_timestamp()))) part
  WHERE s.aws_account_id = account AND s.service = svc AND s.class = cls
$$;

REVOKE EXECUTE ON FUNCTION calls_totals(text), quota_last_second(text, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calls_totals(text), quota_last_second(text, text, text, bigint) TO pcw_service, pcw_operator;

RESET ROLE;
