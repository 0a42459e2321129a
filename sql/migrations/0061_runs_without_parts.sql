-- An incremental pass that stores no part writes no manifest: its bronze_prefix is NULL, and the request ids of its list calls are in
-- stats_json. Until now every pass left a manifest, 137,000 a year of each entity that is looked at every few minutes, and '' stood for a
-- run that never touches the lake.

SET LOCAL ROLE pcw_owner;

ALTER TABLE ingestion_runs ALTER COLUMN bronze_prefix DROP NOT NULL, ALTER COLUMN bronze_prefix DROP DEFAULT;
ALTER TABLE ingestion_runs NO FORCE ROW LEVEL SECURITY;
UPDATE ingestion_runs SET bronze_prefix = NULL WHERE bronze_prefix = '';
ALTER TABLE ingestion_runs FORCE ROW LEVEL SECURITY;

RESET ROLE;
