#include "pcw/aws/credentials/profile_credentials.h"

#include <fmt/format.h>

#include "pcw/aws/credentials/environment_credentials.h"
#include "pcw/aws/credentials/metadata_credentials.h"
#include "pcw/aws/credentials/process_credentials.h"

namespace pcw::aws {
namespace {

Error Wrong(std::string what) { return Error(ErrorCode::kConfig, std::move(what)); }

// A role that another profile or source is the base of.
bool IsRole(const ProfileSettings& profile) {
  return profile.contains("role_arn") && !profile.contains("web_identity_token_file");
}

// The static keys that one file has for the profile. kNotFound without an id; a secret alone is not
// a key to AWS's tools either.
Result<CredentialsPtr> StaticKeys(const std::map<std::string, ProfileSettings>& file,
                                  const std::string& name, const std::string& path) {
  const auto found = file.find(name);
  if (found == file.end() || !found->second.contains("aws_access_key_id"))
    return Error(ErrorCode::kNotFound, fmt::format("profile {} has no keys", name));
  const ProfileSettings& profile = found->second;
  const auto id = Lookup(profile, "aws_access_key_id");
  const auto secret = Lookup(profile, "aws_secret_access_key");
  if (!id || !secret) {
    return Wrong(fmt::format(
        "profile {} has only one of aws_access_key_id and aws_secret_access_key ({})", name, path));
  }
  auto credentials = std::make_shared<Credentials>();
  credentials->access_key_id = *id;
  credentials->secret_access_key = Secret(*secret);
  const auto older = Lookup(profile, "aws_security_token").value_or("");
  credentials->session_token = Secret(Lookup(profile, "aws_session_token").value_or(older));
  credentials->account_id = Lookup(profile, "aws_account_id").value_or("");
  credentials->source = fmt::format("profile {}", name);
  return CredentialsPtr(std::move(credentials));
}

}  // namespace

Result<CredentialsPtr> ProfileCredentials::Fetch(std::stop_token stop) {
  PCW_TRY(const ProfileFiles files, LoadProfiles(deps_.sts.environment));
  if (!files.profiles.contains(profile_)) {
    return Error(if_absent_ == IfAbsent::kMistake ? ErrorCode::kConfig : ErrorCode::kNotFound,
                 fmt::format("there is no profile {} in {} or {}", profile_, files.config_path,
                             files.credentials_path));
  }
  if (part_ != ProfilePart::kAll &&
      (part_ == ProfilePart::kRole) != IsRole(files.profiles.at(profile_)))
    return Error(ErrorCode::kNotFound, fmt::format("profile {} has no role", profile_));
  std::set<std::string> seen;
  return Follow(files, profile_, seen, stop);
}

Result<CredentialsPtr> ProfileCredentials::Follow(const ProfileFiles& files,
                                                  const std::string& name,
                                                  std::set<std::string>& seen,
                                                  std::stop_token stop) const {
  const auto found = files.profiles.find(name);
  if (found == files.profiles.end())
    return Wrong(fmt::format("there is no profile {}, which a source_profile names", name));
  const ProfileSettings& profile = found->second;
  const bool is_source = !seen.empty();
  // Keys of a source count before its role; the role of a profile in force before its keys.
  const bool has_keys =
      profile.contains("aws_access_key_id") || profile.contains("aws_secret_access_key");
  if (IsRole(profile) && !(is_source && has_keys)) {
    if (!seen.insert(name).second)
      return Wrong(fmt::format("profile {} is its own source through source_profile", name));
    return Role(files, name, seen, stop);
  }
  if (profile.contains("role_arn") && profile.contains("web_identity_token_file"))
    return Role(files, name, seen, stop);
  return Keys(files, name, stop);
}

Result<CredentialsPtr> ProfileCredentials::Keys(const ProfileFiles& files, const std::string& name,
                                                std::stop_token stop) const {
  const ProfileSettings& profile = files.profiles.at(name);
  if (profile.contains("sso_session") || profile.contains("sso_start_url") ||
      profile.contains("login_session")) {
    return Wrong(fmt::format(
        "profile {0} signs in through SSO or a login session, which needs a person; in a profile "
        "of "
        "its own use: credential_process = aws configure export-credentials --profile {0} --format "
        "process",
        name));
  }
  Result<CredentialsPtr> shared = StaticKeys(files.of_credentials, name, files.credentials_path);
  if (shared || shared.error().code() != ErrorCode::kNotFound) return shared;
  if (const auto command = Lookup(profile, "credential_process"))
    return ProcessCredentials(*command, name, deps_.sts.environment).Fetch(stop);
  return StaticKeys(files.of_config, name, files.config_path);
}

Result<CredentialsPtr> ProfileCredentials::Role(const ProfileFiles& files, const std::string& name,
                                                std::set<std::string>& seen,
                                                std::stop_token stop) const {
  const ProfileSettings& profile = files.profiles.at(name);
  const auto text = [&](const char* key) { return Lookup(profile, key).value_or(""); };
  const RoleSettings role{.role_arn = text("role_arn"),
                          .external_id = text("external_id"),
                          .session_name = text("role_session_name"),
                          .duration_seconds = text("duration_seconds"),
                          .described_by = fmt::format("profile {}", name)};
  if (!text("mfa_serial").empty()) {
    return Wrong(fmt::format(
        "profile {} asks for a code of an MFA device (mfa_serial), which needs a person; use a "
        "role that a machine may assume",
        name));
  }
  if (const std::string file = text("web_identity_token_file"); !file.empty())
    return AssumeRoleWithTokenFile(deps_.sts, role, file, stop);
  const std::string source_profile = text("source_profile");
  const std::string credential_source = text("credential_source");
  if (source_profile.empty() == credential_source.empty()) {
    return Wrong(
        fmt::format("profile {} has role_arn, expected exactly one of source_profile and "
                    "credential_source beside it",
                    name));
  }
  Result<CredentialsPtr> base = source_profile.empty()
                                    ? CredentialSource(name, credential_source, stop)
                                    : Follow(files, source_profile, seen, stop);
  // What is named must be there: the chain does not go on elsewhere.
  if (!base && base.error().Is(ErrorMark::kUnreachable)) {
    return Error(ErrorCode::kUnauthenticated,
                 fmt::format("profile {}: {}", name, base.error().message()))
        .As(ErrorMark::kUnreachable)
        .With("unreachable", credential_source);
  }
  if (!base && base.error().code() == ErrorCode::kNotFound)
    return Wrong(fmt::format("profile {}: {}", name, base.error().message()));
  if (!base) return base;
  return AssumeRoleWith(deps_.sts, role, *base, stop);
}

Result<CredentialsPtr> ProfileCredentials::CredentialSource(const std::string& name,
                                                            const std::string& kind,
                                                            std::stop_token stop) const {
  const Environment& environment = deps_.sts.environment;
  if (kind == "Environment") return EnvironmentCredentials(environment).Fetch(stop);
  if (kind == "Ec2InstanceMetadata")
    return InstanceCredentials(environment, deps_.metadata).Fetch(stop);
  if (kind == "EcsContainer")
    return ContainerCredentials(environment, deps_.metadata, deps_.sts.sleeper).Fetch(stop);
  return Wrong(
      fmt::format("profile {}: credential_source is {}, expected Environment, "
                  "Ec2InstanceMetadata or EcsContainer",
                  name, kind));
}

}  // namespace pcw::aws
