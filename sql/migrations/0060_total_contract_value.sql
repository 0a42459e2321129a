-- The total contract value of an opportunity, which AWS lists beside the monthly amount (company Self, frequency None), and for how many
-- months. A mapping of the operator's own may have added a column of one of these names already; then it is that one.

SET LOCAL ROLE pcw_owner;

ALTER TABLE partnercentral_opportunities
  ADD COLUMN IF NOT EXISTS total_contract_value numeric,
  ADD COLUMN IF NOT EXISTS total_contract_currency text,
  ADD COLUMN IF NOT EXISTS contract_months bigint;

RESET ROLE;
