-- The ledger of calls forgot its old minutes only when a call was booked in the first two seconds of a minute: with few calls it
-- grew for ever, with many it was searched every second.

SET LOCAL ROLE pcw_owner;

CREATE OR REPLACE FUNCTION calls_note(account text, svc text, cls text, op text, who text, ok bigint, throttles bigint, refusals bigint, failures bigint,
                           error_code text, aws_error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  t timestamptz := clock_timestamp();
  is_first_of_its_minute boolean;
BEGIN
  INSERT INTO aws_calls AS c (aws_account_id, service, class, operation, spender, bucket, calls, throttled, refused, failed)
    VALUES (account, svc, cls, op, who, date_trunc('minute', t), ok + throttles + refusals + failures, throttles, refusals, failures)
    ON CONFLICT (aws_account_id, service, operation, spender, bucket) DO UPDATE SET calls = c.calls + excluded.calls,
      throttled = c.throttled + excluded.throttled, refused = c.refused + excluded.refused, failed = c.failed + excluded.failed
    RETURNING xmax = 0 INTO is_first_of_its_minute;
  INSERT INTO aws_operations AS o (aws_account_id, service, operation, last_ok_at, last_error_at, last_error_code, last_aws_error)
    VALUES (account, svc, op, CASE WHEN ok > 0 THEN t END, CASE WHEN error_code IS NOT NULL THEN t END, error_code, aws_error)
    ON CONFLICT (aws_account_id, service, operation) DO UPDATE SET
      last_ok_at = coalesce(excluded.last_ok_at, o.last_ok_at), last_error_at = coalesce(excluded.last_error_at, o.last_error_at),
      last_error_code = coalesce(excluded.last_error_code, o.last_error_code),
      last_aws_error = CASE WHEN excluded.last_error_code IS NULL THEN o.last_aws_error ELSE excluded.last_aws_error END;
  -- A new row pays for the old ones: the table stays bounded however rarely calls are made, and is not searched every second.
  IF is_first_of_its_minute THEN
    DELETE FROM aws_calls WHERE aws_account_id = account AND service = svc AND bucket < t - interval '25 hours';
  END IF;
END $$;

RESET ROLE;
