// Where credentials are looked for, in order: environment, then the profile's static keys.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pcw/aws/credentials.h"
#include "pcw/aws/profile.h"

namespace pcw::aws {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION.
/// kNotFound if neither key is set, kConfig if one is.
class EnvironmentCredentialsProvider final : public CredentialsProvider {
 public:
  explicit EnvironmentCredentialsProvider(Environment environment)
      : environment_(std::move(environment)) {}
  Result<CredentialsPtr> Get(std::stop_token stop) override;
  void Invalidate() override {}

 private:
  const Environment environment_;
};

/// aws_access_key_id and aws_secret_access_key of one profile. The files are read again after
/// Invalidate, so rotated keys are picked up without a restart. kNotFound if the profile has none;
/// kConfig for a profile that needs a kind of source this version does not have, with the way
/// around it (SSO and login sessions: credential_process with `aws configure export-credentials`).
/// Thread-safe.
class ProfileCredentialsProvider final : public CredentialsProvider {
 public:
  /// `must_exist`: the profile was asked for by name.
  ProfileCredentialsProvider(Environment environment, std::string profile, bool must_exist)
      : environment_(std::move(environment)),
        profile_(std::move(profile)),
        must_exist_(must_exist) {}
  Result<CredentialsPtr> Get(std::stop_token stop) override;
  void Invalidate() override;

 private:
  Result<CredentialsPtr> Read() const;

  const Environment environment_;
  const std::string profile_;
  const bool must_exist_;
  std::mutex mutex_;
  CredentialsPtr cached_;  // guarded by mutex_
};

/// Asks its members in order; the first that is configured decides. Thread-safe.
class CredentialsChain final : public CredentialsProvider {
 public:
  explicit CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> members)
      : members_(std::move(members)) {}
  Result<CredentialsPtr> Get(std::stop_token stop) override;
  void Invalidate() override;

 private:
  const std::vector<std::unique_ptr<CredentialsProvider>> members_;
};

/// The default chain. A profile named in pcw's own configuration goes before the environment's
/// keys; AWS_PROFILE does not (FACTS 17).
std::unique_ptr<CredentialsProvider> MakeCredentialsChain(const Environment& environment,
                                                          const std::string& configured_profile);

}  // namespace pcw::aws
