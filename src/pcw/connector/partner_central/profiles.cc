#include "pcw/aws/partner_central_account.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// Partner profiles, one row per (tenant, catalog, partner): GetPartner's Profile, and whether the
/// public sees it (docs/aws-facts.md 12). The list does not tell when a profile changed, so a full
/// run fetches them all. Its columns are mappings/profiles.yaml.
const EntityDef& Profiles() {
  static constexpr SourceDef kSources[]{{
      .list = &aws::partner_central_account::kListPartners,
      .takes_page_size = false,
      .items_pointer = "/PartnerSummaryList",
      .id_member = "Id",
      .version_means = ListedVersion::kHint,
      .detail = &aws::partner_central_account::kGetPartner,
      .detail_member = "Identifier",
      .no_record = "partner-0000000000000",
      .companion = &aws::partner_central_account::kGetProfileVisibility,
  }};
  static const EntityDef def{
      .connector = &PartnerCentral(),
      .name = "profiles",
      .sources = kSources,
      .table = "partnercentral_profiles",
      .id_column = "partner_id",
      .incremental = Incremental::kListWhole,
  };
  return def;
}

}  // namespace pcw::connector
