-- What the calls of an account came to, and who made them. Not tenant tables, like the quota's: no payloads, no ids, only names of
-- operations and errors. Touched only through functions.

SET LOCAL ROLE pcw_owner;

-- Calls sent, per minute and spender. A row is kept until all of its minute is older than 24 hours.
CREATE TABLE aws_calls (
  aws_account_id text NOT NULL,
  service text NOT NULL,
  class text NOT NULL,
  operation text NOT NULL,
  spender text NOT NULL,              -- "sync opportunities full on host-a, pid 4711"
  bucket timestamptz NOT NULL,
  calls bigint NOT NULL DEFAULT 0,
  throttled bigint NOT NULL DEFAULT 0,
  refused bigint NOT NULL DEFAULT 0,  -- authentication and permission
  failed bigint NOT NULL DEFAULT 0,   -- everything else that was no success
  PRIMARY KEY (aws_account_id, service, operation, spender, bucket)
);
GRANT SELECT ON aws_calls TO pcw_operator;

-- How the latest calls of each operation ended.
CREATE TABLE aws_operations (
  aws_account_id text NOT NULL,
  service text NOT NULL,
  operation text NOT NULL,
  last_ok_at timestamptz,
  last_error_at timestamptz,
  last_error_code text,
  last_aws_error text,
  PRIMARY KEY (aws_account_id, service, operation)
);
GRANT SELECT ON aws_operations TO pcw_operator;

CREATE FUNCTION calls_note(account text, svc text, cls text, op text, who text, ok bigint, throttles bigint, refusals bigint, failures bigint,
                           error_code text, aws_error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  t timestamptz := clock_timestamp();
BEGIN
  INSERT INTO aws_calls AS c (aws_account_id, service, class, operation, spender, bucket, calls, throttled, refused, failed)
    VALUES (account, svc, cls, op, who, date_trunc('minute', t), ok + throttles + refusals + failures, throttles, refusals, failures)
    ON CONFLICT (aws_account_id, service, operation, spender, bucket) DO UPDATE SET calls = c.calls + excluded.calls,
      throttled = c.throttled + excluded.throttled, refused = c.refused + excluded.refused, failed = c.failed + excluded.failed;
  INSERT INTO aws_operations AS o (aws_account_id, service, operation, last_ok_at, last_error_at, last_error_code, last_aws_error)
    VALUES (account, svc, op, CASE WHEN ok > 0 THEN t END, CASE WHEN error_code IS NOT NULL THEN t END, error_code, aws_error)
    ON CONFLICT (aws_account_id, service, operation) DO UPDATE SET
      last_ok_at = coalesce(excluded.last_ok_at, o.last_ok_at), last_error_at = coalesce(excluded.last_error_at, o.last_error_at),
      last_error_code = coalesce(excluded.last_error_code, o.last_error_code),
      last_aws_error = CASE WHEN excluded.last_error_code IS NULL THEN o.last_aws_error ELSE excluded.last_aws_error END;
  -- Once a minute or so is enough.
  IF extract(second FROM t) < 2 THEN
    DELETE FROM aws_calls WHERE aws_account_id = account AND service = svc AND bucket < t - interval '25 hours';
  END IF;
END $$;

-- Processes of one task on one host are one spender: a job that starts every five minutes is one line.
CREATE FUNCTION calls_read(account text, svc text, since interval)
RETURNS TABLE (class text, operation text, spender text, calls bigint, throttled bigint, refused bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.class, c.operation, regexp_replace(c.spender, ', pid [0-9]+$', '') AS spender, sum(c.calls)::bigint, sum(c.throttled)::bigint, sum(c.refused)::bigint, sum(c.failed)::bigint
  FROM aws_calls c WHERE c.aws_account_id = account AND c.service = svc AND c.bucket > now() - since
  GROUP BY 1, 2, 3 ORDER BY 4 DESC
$$;

CREATE FUNCTION operations_read(account text, svc text)
RETURNS TABLE (operation text, last_ok_at timestamptz, last_error_at timestamptz, last_error_code text, last_aws_error text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.operation, o.last_ok_at, o.last_error_at, o.last_error_code, o.last_aws_error
  FROM aws_operations o WHERE o.aws_account_id = account AND o.service = svc ORDER BY 1
$$;

-- The minutes of the rolling day, for planning.
CREATE FUNCTION quota_buckets(account text, svc text, cls text) RETURNS TABLE (bucket timestamptz, calls bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT u.bucket, u.calls FROM quota_usage u
  WHERE u.aws_account_id = account AND u.service = svc AND u.class = cls AND u.calls > 0 AND u.bucket > now() - interval '24 hours 1 minute'
  ORDER BY 1
$$;

-- Leases up to `want` slots; see 0002. New: a limit below what is used (the rest is kept for others) names the time when enough has aged.
CREATE OR REPLACE FUNCTION quota_lease(account text, svc text, cls text, want integer, interval_us bigint, burst integer, day_limit bigint,
                                       OUT granted integer, OUT delay_us bigint, OUT day_left bigint, OUT free_at timestamptz)
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
  UPDATE quota_state SET next_slot = slot + granted * step WHERE aws_account_id = account AND service = svc AND class = cls;
  INSERT INTO quota_usage AS u (aws_account_id, service, class, bucket, calls) VALUES (account, svc, cls, date_trunc('minute', t), granted)
    ON CONFLICT (aws_account_id, service, class, bucket) DO UPDATE SET calls = u.calls + excluded.calls;
  DELETE FROM quota_usage WHERE aws_account_id = account AND service = svc AND class = cls AND bucket < t - interval '25 hours';
END $$;

-- Unless it is named last, a caller's temporary table stands before ours, and its triggers would run as the owner.
ALTER FUNCTION quota_return(text, text, text, integer, timestamptz, bigint) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION quota_pause(text, text, text, bigint) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION quota_read(text, text, text) SET search_path = pg_catalog, public, pg_temp;

REVOKE EXECUTE ON FUNCTION calls_note(text, text, text, text, text, bigint, bigint, bigint, bigint, text, text), calls_read(text, text, interval),
  operations_read(text, text), quota_buckets(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calls_note(text, text, text, text, text, bigint, bigint, bigint, bigint, text, text), calls_read(text, text, interval),
  operations_read(text, text), quota_buckets(text, text, text) TO pcw_service;
GRANT EXECUTE ON FUNCTION calls_read(text, text, interval), operations_read(text, text), quota_buckets(text, text, text) TO pcw_operator;

RESET ROLE;
