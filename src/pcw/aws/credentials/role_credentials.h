// Credentials of a role, got from STS with other credentials or with a web identity token.
#pragma once

#include <string>

#include "pcw/aws/credentials.h"
#include "pcw/aws/profile.h"
#include "pcw/base/rng.h"
#include "pcw/net/http.h"

namespace pcw::aws {

/// What asking STS takes. Everything outlives its user.
struct StsDeps {
  net::HttpClient& http;
  Clock& clock;
  Sleeper& sleeper;
  Rng& rng;
  Environment environment;  ///< endpoint overrides and the profile files
  std::string region;
  std::string profile;  ///< whose endpoint settings count
};

/// A role as a profile, the environment or pcw's own configuration describes it.
struct RoleSettings {
  std::string role_arn;
  std::string external_id;
  std::string session_name;  ///< empty = "pcw-<seconds since 1970>"
  std::string duration_seconds;
  std::string described_by;  ///< "profile x", "aws.role_arn": for people
};

/// Signs AssumeRole with `base`. kConfig for a duration outside 900 to 43200 s.
Result<CredentialsPtr> AssumeRoleWith(const StsDeps& deps, const RoleSettings& role,
                                      const CredentialsPtr& base, std::stop_token stop);

/// Sends the token of `token_file`, read anew each time, unsigned. kUnauthenticated if the file
/// cannot be read.
Result<CredentialsPtr> AssumeRoleWithTokenFile(const StsDeps& deps, const RoleSettings& role,
                                               const std::string& token_file, std::stop_token stop);

/// AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME: EKS service accounts.
/// kNotFound if the first is not set, kConfig if only one of the first two is.
class WebIdentityCredentials final : public CredentialsSource {
 public:
  explicit WebIdentityCredentials(const StsDeps& deps) : deps_(deps) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  const StsDeps deps_;
};

/// A role on top of another source: aws.role_arn of pcw's own configuration.
class RoleOverCredentials final : public CredentialsSource {
 public:
  RoleOverCredentials(const StsDeps& deps, RoleSettings role,
                      std::unique_ptr<CredentialsSource> base)
      : deps_(deps), role_(std::move(role)), base_(std::move(base)) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;
  bool HasChanged() override { return base_->HasChanged(); }

 private:
  const StsDeps deps_;
  const RoleSettings role_;
  const std::unique_ptr<CredentialsSource> base_;
};

}  // namespace pcw::aws
