// Partner Central Selling: its operations and the requests we send (FACTS 3; models of 2026-08-07).
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

}  // namespace pcw::aws::partner_central_selling
