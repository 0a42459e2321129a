// Partner Central Account: the partner behind an AWS account (FACTS 6; models of 2026-08-07).
#pragma once

#include "pcw/aws/operation.h"

namespace pcw::aws::partner_central_account {

inline constexpr ServiceDef kService{
    .id = "partnercentral-account",
    .signing_name = "partnercentral-account",
    .target_prefix = "PartnerCentralAccount",
    .endpoint_env = "PARTNERCENTRAL_ACCOUNT",
    .config_key = "partnercentral_account",
    .host_pattern = "partnercentral-account.{region}.api.aws",
    .only_region = "us-east-1",
    .protocol = Protocol::kJson10,
};

/// Has no published rate and is asked by diagnosis only, so it is not counted (FACTS 3.2).
inline constexpr Operation kListPartners{&kService, "ListPartners", Idempotency::kIdempotent,
                                         QuotaClass::kNone, "PartnerSummaryList"};

}  // namespace pcw::aws::partner_central_account
