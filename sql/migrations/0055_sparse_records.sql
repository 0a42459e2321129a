-- A record that tells only part of a lead changes what it tells; the other columns keep what the newest record that told them said,
-- in whatever order records come (I9, ADR 11). For that a row remembers who told what its newest record does not.

SET LOCAL ROLE pcw_owner;

ALTER TABLE partnercentral_leads ADD COLUMN kept_from jsonb;
COMMENT ON COLUMN partnercentral_leads.kept_from IS
  'NULL: the newest record told every column. Else the columns it did not tell, each with the time (microseconds) of the record that did; 0: none did.';

-- Rows whose newest record is such a one already: who told the rest is not known, so only what is NULL can be filled from older bronze.
ALTER TABLE partnercentral_leads NO FORCE ROW LEVEL SECURITY;
UPDATE partnercentral_leads SET kept_from = '{}' WHERE source_rank = 0 AND coalesce(payload_json ->> 'Status', 'PENDING') <> 'PENDING';
ALTER TABLE partnercentral_leads FORCE ROW LEVEL SECURITY;

RESET ROLE;
