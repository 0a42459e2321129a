// Partner Central Selling: its operations and our requests (docs/aws-facts.md 6 to 11).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pcw/aws/operation.h"

namespace pcw::aws::partner_central_selling {

inline constexpr ServiceDef kService{
    .id = "partnercentral-selling",
    .signing_name = "partnercentral-selling",
    .target_prefix = "AWSPartnerCentralSelling",
    .endpoint_env = "PARTNERCENTRAL_SELLING",
    .config_key = "partnercentral_selling",
    .host_pattern = "partnercentral-selling.{region}.api.aws",
    .only_region = "us-east-1",
    .protocol = Protocol::kJson10,
};

inline constexpr Operation kListOpportunities{&kService, "ListOpportunities",
                                              Idempotency::kIdempotent, QuotaClass::kRead,
                                              "OpportunitySummaries"};
inline constexpr Operation kGetOpportunity{&kService, "GetOpportunity", Idempotency::kIdempotent,
                                           QuotaClass::kRead, "Id"};
inline constexpr Operation kGetAwsOpportunitySummary{
    &kService, "GetAwsOpportunitySummary", Idempotency::kIdempotent, QuotaClass::kRead, "Catalog"};
inline constexpr Operation kListSolutions{&kService, "ListSolutions", Idempotency::kIdempotent,
                                          QuotaClass::kRead, "SolutionSummaries"};
// Not on AWS's page of quotas; counted in the shared budget of reads to be on the safe side
// (docs/aws-facts.md 9).
inline constexpr Operation kListEngagements{&kService, "ListEngagements", Idempotency::kIdempotent,
                                            QuotaClass::kRead, "EngagementSummaryList"};
inline constexpr Operation kGetEngagement{&kService, "GetEngagement", Idempotency::kIdempotent,
                                          QuotaClass::kRead, "Id"};
// The model does not promise the list, so an answer without it must not be taken for a cut one.
inline constexpr Operation kListEngagementInvitations{
    &kService, "ListEngagementInvitations", Idempotency::kIdempotent, QuotaClass::kRead, ""};
inline constexpr Operation kGetEngagementInvitation{
    &kService, "GetEngagementInvitation", Idempotency::kIdempotent, QuotaClass::kRead, "Id"};

}  // namespace pcw::aws::partner_central_selling
