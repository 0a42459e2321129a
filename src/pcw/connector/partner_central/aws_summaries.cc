#include "pcw/aws/partner_central_selling.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// AWS's own view of each opportunity, one row per (tenant, catalog, opportunity): what AWS's side
/// changes appears here and not in GetOpportunity (docs/aws-facts.md 8). A call per opportunity on
/// top of the opportunities' own, so it is synced only where it is configured; whether a change on
/// AWS's side moves LastModifiedDate is not known, so a full run fetches all of them. Not every
/// opportunity has one: AWS's 404 is an answer, not a failure. Its columns are
/// mappings/aws_summaries.yaml.
const EntityDef& AwsSummaries() {
  static constexpr SourceDef kSources[]{{
      .list = &aws::partner_central_selling::kListOpportunities,
      .items_pointer = "/OpportunitySummaries",
      .id_member = "Id",
      .version_member = "LastModifiedDate",
      .version_means = ListedVersion::kHint,
      .detail = &aws::partner_central_selling::kGetAwsOpportunitySummary,
      .detail_member = "RelatedOpportunityIdentifier",
      .no_record = "O1",
      .may_be_absent = true,
      .full_sort = "Identifier",
      .modified_sort = "LastModifiedDate",
      .modified_filter = "LastModifiedDate",
      .modified_after = "AfterLastModifiedDate",
  }};
  static const EntityDef def{
      .connector = &PartnerCentral(),
      .name = "aws_summaries",
      .sources = kSources,
      .table = "partnercentral_aws_summaries",
      .id_column = "pc_opportunity_id",
      .incremental = Incremental::kByModifiedFilter,
      .is_optional = true,
  };
  return def;
}

}  // namespace pcw::connector
