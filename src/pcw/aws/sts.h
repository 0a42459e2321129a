// STS: who are we, and becoming a role (docs/aws-facts.md 16; query protocol, XML answers).
#pragma once

#include <optional>
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

inline constexpr Operation kAssumeRole{&kService, "AssumeRole", Idempotency::kIdempotent,
                                       QuotaClass::kNone, "AssumeRoleResult"};
inline constexpr Operation kAssumeRoleWithWebIdentity{&kService, "AssumeRoleWithWebIdentity",
                                                      Idempotency::kIdempotent, QuotaClass::kNone,
                                                      "AssumeRoleWithWebIdentityResult"};

struct CallerIdentity {
  std::string account, arn, user_id;
};

/// Asks STS whose credentials these are. Needs no permission.
Result<CallerIdentity> GetCallerIdentity(Caller& caller, std::stop_token stop);

/// A role to become.
struct RoleRequest {
  std::string role_arn;
  std::string session_name;                  ///< 2 to 64 of [A-Za-z0-9_+=,.@-]
  std::string external_id;                   ///< empty = none
  std::optional<int> duration_seconds;       ///< 900 to 43200; absent = AWS's default, an hour
  std::optional<Secret> web_identity_token;  ///< present = AssumeRoleWithWebIdentity
};

/// Becomes a role. With a web identity token the call is unsigned: `caller` must have credentials
/// without a key. `source` names the result for people. Errors as Caller, and kUnavailable for an
/// answer without credentials.
Result<CredentialsPtr> AssumeRole(Caller& caller, const RoleRequest& request,
                                  const std::string& source, std::stop_token stop);

}  // namespace pcw::aws::sts
