// Credentials of a profile in ~/.aws, whatever the profile says they are made of.
#pragma once

#include <set>
#include <string>

#include "pcw/aws/role_credentials.h"

namespace pcw::aws {

/// What a profile may need beside STS.
struct ProfileAccess {
  StsAccess sts;
  net::HttpClient& metadata;  ///< for credential_source, see metadata_credentials.h
};

/// A profile that does not exist: a mistake if it was asked for by name, else nothing.
enum class IfAbsent { kMistake, kNothing };

/// Reads the files anew each time, so rotated keys are picked up without a restart, and follows, in
/// botocore's order (FACTS 17): role_arn with source_profile, credential_source or
/// web_identity_token_file; static keys; credential_process. kNotFound if the profile has none of
/// them. kConfig for a loop of source_profiles, a role that wants a person (MFA), and SSO or login
/// sessions, with the way around.
class ProfileCredentials final : public CredentialsSource {
 public:
  ProfileCredentials(const ProfileAccess& access, std::string profile, IfAbsent if_absent)
      : access_(access), profile_(std::move(profile)), if_absent_(if_absent) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  Result<CredentialsPtr> Follow(const ProfileFiles& files, const std::string& name,
                                std::set<std::string>& seen, std::stop_token stop) const;
  Result<CredentialsPtr> Role(const ProfileFiles& files, const std::string& name,
                              std::set<std::string>& seen, std::stop_token stop) const;
  Result<CredentialsPtr> CredentialSource(const std::string& name, const std::string& kind,
                                          std::stop_token stop) const;

  const ProfileAccess access_;
  const std::string profile_;
  const IfAbsent if_absent_;
};

}  // namespace pcw::aws
