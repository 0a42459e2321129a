-- One clock for runs: whatever writes or compares a run's time asks this function, and never the clock of the machine that pcw runs on
-- (I13). It is the start of the statement, so it moves on within a transaction, and a query sees one time from its first row to its last.

SET LOCAL ROLE pcw_owner;

CREATE FUNCTION pcw_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT statement_timestamp() $$;
COMMENT ON FUNCTION pcw_now() IS 'The clock of runs: that of the database, whatever the clocks of pcw''s machines say.';

ALTER TABLE ingestion_runs ADD COLUMN served_from timestamptz;
COMMENT ON COLUMN ingestion_runs.served_from IS 'AWS''s Date of the first answer that the run put into bronze: what a re-ingest orders runs by.';

RESET ROLE;
