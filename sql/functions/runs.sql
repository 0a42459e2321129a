-- version 1
-- The clock of runs, and the guard of their states.
SET LOCAL ROLE pcw_owner;

-- Whatever writes or compares a run's time asks this function, and never the clock of the machine that pcw runs on (I13). It is the
-- start of the statement, so it moves on within a transaction, and a query sees one time from its first row to its last.
CREATE OR REPLACE FUNCTION pcw_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT statement_timestamp() $$;
COMMENT ON FUNCTION pcw_now() IS 'The clock of runs: that of the database, whatever the clocks of pcw''s machines say.';

-- Terminal states never change (I8). (The trigger is of migration 0001.)
CREATE OR REPLACE FUNCTION ingestion_runs_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL AND NEW.status IS DISTINCT FROM OLD.status THEN
    RAISE EXCEPTION 'run % is % already', OLD.id, OLD.status USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;

RESET ROLE;
