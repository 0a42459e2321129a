-- Which groups of letters the service has tried by which version of the mapping: each once, whichever process comes first.

SET LOCAL ROLE pcw_owner;

CREATE TABLE dead_letter_trials (
  tenant_id uuid NOT NULL,
  fingerprint text NOT NULL,
  mapping_version integer NOT NULL,                  -- the one in force, by which it is tried
  tried_at timestamptz NOT NULL DEFAULT now(),
  outcome text,                                      -- of the sample; NULL: under way, or its process died
  PRIMARY KEY (tenant_id, fingerprint, mapping_version)
);
SELECT pcw_protect('dead_letter_trials');
GRANT SELECT, INSERT, UPDATE ON dead_letter_trials TO pcw_service;

RESET ROLE;
