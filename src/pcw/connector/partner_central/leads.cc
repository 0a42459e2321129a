#include "pcw/aws/partner_central_selling.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// Leads, one row per (tenant, catalog, engagement): engagements with a Lead context, and the
/// invitations to them (docs/aws-facts.md 11). A pending invitation tells more than the list does;
/// an answered one only changes the state of what is known. Once the engagement itself can be read,
/// the invitation has nothing to add. Its columns are mappings/leads.yaml.
const EntityDef& Leads() {
  static constexpr SourceDef kSources[]{
      {.list = &aws::partner_central_selling::kListEngagements,
       .list_members = R"("ContextTypes":["Lead"])",
       .items_pointer = "/EngagementSummaryList",
       .id_member = "Id",
       .version_member = "ModifiedAt",
       .detail = &aws::partner_central_selling::kGetEngagement,
       .detail_member = "Identifier",
       .no_record = "eng-00000000000000",
       .rank = 1,
       .full_sort = "CreatedDate"},
      {.list = &aws::partner_central_selling::kListEngagementInvitations,
       .list_members = R"("ParticipantType":"RECEIVER","PayloadType":["LeadInvitation"])",
       .items_pointer = "/EngagementInvitationSummaries",
       .id_member = "EngagementId",
       .id_fallback = "Id",
       .detail = &aws::partner_central_selling::kGetEngagementInvitation,
       .detail_member = "Identifier",
       .no_record = "engi-0000000000000",
       .key_member = "Id",
       .key_column = "invitation_id",
       .detail_when = "Status",
       .detail_when_is = "PENDING",
       .rank = 0,
       .full_sort = "InvitationDate"},
  };
  static const EntityDef def{
      .connector = &PartnerCentral(),
      .name = "leads",
      .sources = kSources,
      .table = "partnercentral_leads",
      .id_column = "lead_id",
      .incremental = Incremental::kListWhole,
  };
  return def;
}

}  // namespace pcw::connector
