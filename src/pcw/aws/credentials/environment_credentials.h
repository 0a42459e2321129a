// Keys in the environment, as AWS's own tools read them.
#pragma once

#include "pcw/aws/credentials.h"
#include "pcw/aws/profile.h"

namespace pcw::aws {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (or the older AWS_SECURITY_TOKEN),
/// AWS_CREDENTIAL_EXPIRATION, AWS_ACCOUNT_ID. kNotFound if neither key is set, kConfig if one is.
class EnvironmentCredentials final : public CredentialsSource {
 public:
  explicit EnvironmentCredentials(Environment environment) : environment_(std::move(environment)) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  const Environment environment_;
};

}  // namespace pcw::aws
