-- version 1
-- The ledger of calls: what the calls of an account came to, and who made them. Its tables are not tenant tables, like the quota's: no
-- payloads, no ids, only names of operations and errors. They are touched only through these functions.
SET LOCAL ROLE pcw_owner;

-- Books calls of one operation; of the last that failed, its error.
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

-- Processes of one task on one host are one spender: a job that starts every five minutes is one line.
CREATE OR REPLACE FUNCTION calls_read(account text, svc text, since interval)
RETURNS TABLE (class text, operation text, spender text, calls bigint, throttled bigint, refused bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.class, c.operation, regexp_replace(c.spender, ', pid [0-9]+$', '') AS spender, sum(c.calls)::bigint, sum(c.throttled)::bigint, sum(c.refused)::bigint, sum(c.failed)::bigint
  FROM aws_calls c WHERE c.aws_account_id = account AND c.service = svc AND c.bucket > now() - since
  GROUP BY 1, 2, 3 ORDER BY 4 DESC
$$;

-- How the latest calls of each operation ended.
CREATE OR REPLACE FUNCTION operations_read(account text, svc text)
RETURNS TABLE (operation text, last_ok_at timestamptz, last_error_at timestamptz, last_error_code text, last_aws_error text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.operation, o.last_ok_at, o.last_error_at, o.last_error_code, o.last_aws_error
  FROM aws_operations o WHERE o.aws_account_id = account AND o.service = svc ORDER BY 1
$$;

-- How every call of an account ever ended, of all services: counters that only grow, for Prometheus.
CREATE OR REPLACE FUNCTION calls_totals(account text) RETURNS TABLE (service text, operation text, ok bigint, throttled bigint, refused bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.service, o.operation, o.ok, o.throttled, o.refused, o.failed FROM aws_operations o WHERE o.aws_account_id = account ORDER BY 1, 2
$$;

REVOKE EXECUTE ON FUNCTION calls_note(text, text, text, text, text, bigint, bigint, bigint, bigint, text, text),
  calls_read(text, text, interval), operations_read(text, text), calls_totals(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calls_note(text, text, text, text, text, bigint, bigint, bigint, bigint, text, text),
  calls_read(text, text, interval), operations_read(text, text), calls_totals(text) TO pcw_service;
GRANT EXECUTE ON FUNCTION calls_read(text, text, interval), operations_read(text, text), calls_totals(text) TO pcw_operator;

RESET ROLE;
