-- What AWS calls a version in its list, where that differs from what the record itself says; and rows that AWS has an older version of
-- than is held: a date that was wrong once keeps every later version out (I4) until somebody accepts one (`pcw sync refetch`).

SET LOCAL ROLE pcw_owner;

DO $$
DECLARE
  entity text;
BEGIN
  FOREACH entity IN ARRAY ARRAY['partnercentral_opportunities', 'partnercentral_leads', 'partnercentral_solutions', 'partnercentral_profiles',
                                'partnercentral_aws_summaries'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN listed_version text, ADD COLUMN accepted_key text, '
                   'ADD COLUMN older_seen smallint NOT NULL DEFAULT 0, ADD COLUMN older_since timestamptz', entity);
    EXECUTE format('COMMENT ON COLUMN %I.listed_version IS %L', entity, 'The version''s name in AWS''s list where it is not source_version; NULL: it is.');
    EXECUTE format('COMMENT ON COLUMN %I.accepted_key IS %L', entity,
                   'Bronze object of the version that an operator accepted although it was older than the held one; records of earlier runs do not count any more.');
    EXECUTE format('COMMENT ON COLUMN %I.older_seen IS %L', entity, 'Runs in a row to which AWS served an older version than is held; older_since: the first of them.');
    EXECUTE format('CREATE INDEX %I ON %I (tenant_id) WHERE older_seen > 0', entity || '_older', entity);
    EXECUTE format('CREATE INDEX %I ON %I (tenant_id) WHERE accepted_key IS NOT NULL', entity || '_accepted', entity);
  END LOOP;
END $$;

RESET ROLE;
