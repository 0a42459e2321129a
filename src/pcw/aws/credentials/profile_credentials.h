// Credentials of a profile in ~/.aws, whatever the profile says they are made of.
#pragma once

#include <set>
#include <string>

#include "pcw/aws/credentials/role_credentials.h"

namespace pcw::aws {

/// What a profile may need beside STS.
struct ProfileDeps {
  StsDeps sts;
  net::HttpClient& metadata;  ///< for credential_source, see metadata_credentials.h
};

/// A profile that does not exist: a mistake if it was asked for by name, else nothing.
enum class IfAbsent { kMistake, kNothing };

/// Which part of a profile counts. A web identity of the environment comes between the two.
enum class ProfilePart {
  kRole,  ///< role_arn with source_profile or credential_source alone
  kRest,  ///< everything else
  kAll
};

/// Reads the files anew each time, so rotated keys are picked up without a restart, and follows, in
/// botocore's order (docs/aws-facts.md 23): role_arn with source_profile or credential_source,
/// role_arn with web_identity_token_file; static keys of the credentials file; credential_process;
/// static keys of the config file. A profile that another names as source gives its keys although
/// it has a role. kNotFound if the profile has none of them. kConfig for a loop of source_profiles,
/// a role that wants a person (MFA), and SSO or login sessions, with the way around.
class ProfileCredentials final : public CredentialsSource {
 public:
  ProfileCredentials(const ProfileDeps& deps, std::string profile, IfAbsent if_absent,
                     ProfilePart part = ProfilePart::kAll)
      : deps_(deps), profile_(std::move(profile)), if_absent_(if_absent), part_(part) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  Result<CredentialsPtr> Follow(const ProfileFiles& files, const std::string& name,
                                std::set<std::string>& seen, std::stop_token stop) const;
  Result<CredentialsPtr> Keys(const ProfileFiles& files, const std::string& name,
                              std::stop_token stop) const;
  Result<CredentialsPtr> Role(const ProfileFiles& files, const std::string& name,
                              std::set<std::string>& seen, std::stop_token stop) const;
  Result<CredentialsPtr> CredentialSource(const std::string& name, const std::string& kind,
                                          std::stop_token stop) const;

  const ProfileDeps deps_;
  const std::string profile_;
  const IfAbsent if_absent_;
  const ProfilePart part_;
};

}  // namespace pcw::aws
