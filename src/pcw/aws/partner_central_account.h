// Partner Central Account: the partner behind an AWS account (docs/aws-facts.md 12).
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

/// The account service publishes no rates, so its calls are not counted (docs/aws-facts.md 9).
inline constexpr Operation kListPartners{&kService, "ListPartners", Idempotency::kIdempotent,
                                         QuotaClass::kNone, "PartnerSummaryList"};
inline constexpr Operation kGetPartner{&kService, "GetPartner", Idempotency::kIdempotent,
                                       QuotaClass::kNone, "Profile"};
inline constexpr Operation kGetProfileVisibility{
    &kService, "GetProfileVisibility", Idempotency::kIdempotent, QuotaClass::kNone, "Visibility"};

}  // namespace pcw::aws::partner_central_account
