#include "pcw/aws/partner_central_selling.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// The partner's solutions, one row per (tenant, catalog, solution). AWS has no call for the
/// details of one, so the item of the list is the record. Its columns are mappings/solutions.yaml.
const EntityDef& Solutions() {
  static constexpr SourceDef kSources[]{{
      .list = &aws::partner_central_selling::kListSolutions,
      .items_pointer = "/SolutionSummaries",
      .id_member = "Id",
      .full_sort = "Identifier",
  }};
  static const EntityDef def{
      .connector = &PartnerCentral(),
      .name = "solutions",
      .sources = kSources,
      .table = "partnercentral_solutions",
      .id_column = "solution_id",
      .incremental = Incremental::kListWhole,
  };
  return def;
}

}  // namespace pcw::connector
