-- A row's tenant is the session's: the policies check that for every row they let in. The foreign key to tenants proved the same once
-- more for each new row, by a look-up that locks the tenant's row, which two loaders of one tenant then share and have to account for.
-- Tenants are never deleted.

SET LOCAL ROLE pcw_owner;

ALTER TABLE partnercentral_opportunities DROP CONSTRAINT partnercentral_opportunities_tenant_id_fkey;
ALTER TABLE partnercentral_leads DROP CONSTRAINT partnercentral_leads_tenant_id_fkey;
ALTER TABLE partnercentral_solutions DROP CONSTRAINT partnercentral_solutions_tenant_id_fkey;
ALTER TABLE partnercentral_profiles DROP CONSTRAINT partnercentral_profiles_tenant_id_fkey;
ALTER TABLE partnercentral_aws_summaries DROP CONSTRAINT partnercentral_aws_summaries_tenant_id_fkey;

RESET ROLE;
