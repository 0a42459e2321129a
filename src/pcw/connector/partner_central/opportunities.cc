#include "pcw/aws/partner_central_selling.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// Co-sell opportunities, one row per (tenant, catalog, opportunity). Its columns are
/// mappings/opportunities.yaml.
const EntityDef& Opportunities() {
  static constexpr SourceDef kSources[]{{
      .list = &aws::partner_central_selling::kListOpportunities,
      .items_pointer = "/OpportunitySummaries",
      .id_member = "Id",
      .version_member = "LastModifiedDate",
      .detail = &aws::partner_central_selling::kGetOpportunity,
      .detail_member = "Identifier",
      .no_record = "O1",
      .full_sort = "Identifier",
      .modified_sort = "LastModifiedDate",
      .modified_filter = "LastModifiedDate",
      .modified_after = "AfterLastModifiedDate",
  }};
  static const EntityDef def{
      .connector = &PartnerCentral(),
      .name = "opportunities",
      .sources = kSources,
      .table = "partnercentral_opportunities",
      .id_column = "pc_opportunity_id",
      .incremental = Incremental::kByModifiedFilter,
  };
  return def;
}

}  // namespace pcw::connector
