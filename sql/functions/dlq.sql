-- version 1
-- Dead letters.
SET LOCAL ROLE pcw_owner;

-- A generated column of dead_letters holds what this gives: another body needs a migration that computes the column anew.
CREATE OR REPLACE FUNCTION pcw_dlq_fingerprint(entity text, stage text, code text, error text, context jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT left(md5(entity || E'\n' || stage || E'\n' || code || E'\n' || coalesce(context ->> 'pointer', '') || E'\n'
                   || regexp_replace(regexp_replace(error, '"[^"]*"', '""', 'g'), '[0-9]+', '#', 'g')), 12) $$;
COMMENT ON FUNCTION pcw_dlq_fingerprint(text, text, text, text, jsonb) IS 'The cause of a dead letter: quoted texts and numbers of the message do not count.';
GRANT EXECUTE ON FUNCTION pcw_dlq_fingerprint(text, text, text, text, jsonb) TO pcw_service, pcw_operator;

RESET ROLE;
