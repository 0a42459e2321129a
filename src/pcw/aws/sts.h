// STS: who are we, and becoming a role (FACTS 2; query protocol, XML answers).
#pragma once

#include <string>

#include "pcw/aws/caller.h"
#include "pcw/aws/operation.h"

namespace pcw::aws::sts {

inline constexpr ServiceDef kService{
    .id = "sts",
    .signing_name = "sts",
    .target_prefix = "",
    .endpoint_env = "STS",
    .config_key = "sts",
    .host_pattern = "sts.{region}.amazonaws.com",
    .only_region = "",
    .protocol = Protocol::kQuery,
};

inline constexpr Operation kGetCallerIdentity{&kService, "GetCallerIdentity",
                                              Idempotency::kIdempotent, QuotaClass::kNone,
                                              "GetCallerIdentityResult"};

struct CallerIdentity {
  std::string account, arn, user_id;
};

/// Asks STS whose credentials these are. Needs no permission.
Result<CallerIdentity> GetCallerIdentity(Caller& caller, std::stop_token stop);

}  // namespace pcw::aws::sts
