#include "pcw/aws/credentials/environment_credentials.h"

#include <fmt/format.h>

#include "pcw/aws/credentials/expiration.h"

namespace pcw::aws {

Result<CredentialsPtr> EnvironmentCredentials::Fetch(std::stop_token /*stop*/) {
  const auto id = Lookup(environment_, "AWS_ACCESS_KEY_ID");
  const auto secret = Lookup(environment_, "AWS_SECRET_ACCESS_KEY");
  if (!id && !secret)
    return Error(ErrorCode::kNotFound,
                 "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  if (!id || !secret) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is set but {} is not; set both or neither",
                             id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                             id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"));
  }
  auto credentials = std::make_shared<Credentials>();
  credentials->access_key_id = *id;
  credentials->secret_access_key = Secret(*secret);
  const auto older = Lookup(environment_, "AWS_SECURITY_TOKEN").value_or("");
  credentials->session_token = Secret(Lookup(environment_, "AWS_SESSION_TOKEN").value_or(older));
  credentials->account_id = Lookup(environment_, "AWS_ACCOUNT_ID").value_or("");
  credentials->source = "environment";
  if (const auto expiration = Lookup(environment_, "AWS_CREDENTIAL_EXPIRATION")) {
    const Result<WallTime> time = ParseExpiration(*expiration);
    if (!time) {
      return Error(ErrorCode::kConfig,
                   fmt::format("AWS_CREDENTIAL_EXPIRATION is {}", time.error().message()));
    }
    credentials->expires_at = *time;
  }
  return CredentialsPtr(std::move(credentials));
}

}  // namespace pcw::aws
