#include "pcw/aws/credentials_chain.h"

#include <fmt/format.h>

#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

// A source of credentials that a profile may ask for and this version cannot serve.
std::optional<std::string> UnservedSource(const ProfileSettings& profile, const std::string& name) {
  const auto has = [&](const char* key) { return profile.contains(key); };
  const std::string way = fmt::format(
      "credential_process = aws configure export-credentials --profile {} --format process", name);
  if (has("sso_session") || has("sso_start_url") || has("login_session")) {
    return fmt::format(
        "profile {} signs in through SSO or a login session, which needs a person; in a profile of "
        "its own use: {}",
        name, way);
  }
  for (const char* key : {"role_arn", "credential_process", "web_identity_token_file"}) {
    if (has(key)) {
      return fmt::format(
          "profile {} gets its credentials by {}, which this version cannot do; export them "
          "instead: eval \"$(aws configure export-credentials --profile {} --format env)\"",
          name, key, name);
    }
  }
  return std::nullopt;
}

}  // namespace

Result<CredentialsPtr> EnvironmentCredentialsProvider::Get(std::stop_token /*stop*/) {
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
  credentials->session_token = Secret(Lookup(environment_, "AWS_SESSION_TOKEN").value_or(""));
  credentials->account_id = Lookup(environment_, "AWS_ACCOUNT_ID").value_or("");
  credentials->source = "environment";
  if (const auto expiration = Lookup(environment_, "AWS_CREDENTIAL_EXPIRATION")) {
    PCW_TRY(credentials->expires_at, ParseRfc3339(*expiration));
  }
  return CredentialsPtr(std::move(credentials));
}

Result<CredentialsPtr> ProfileCredentialsProvider::Get(std::stop_token /*stop*/) {
  const std::lock_guard lock(mutex_);
  if (!cached_) {
    PCW_TRY(cached_, Read());
  }
  return cached_;
}

void ProfileCredentialsProvider::Invalidate() {
  const std::lock_guard lock(mutex_);
  cached_.reset();
}

Result<CredentialsPtr> ProfileCredentialsProvider::Read() const {
  PCW_TRY(const ProfileFiles files, LoadProfiles(environment_));
  const auto found = files.profiles.find(profile_);
  if (found == files.profiles.end()) {
    return Error(must_exist_ ? ErrorCode::kConfig : ErrorCode::kNotFound,
                 fmt::format("there is no profile {} in {} or {}", profile_, files.config_path,
                             files.credentials_path));
  }
  const ProfileSettings& profile = found->second;
  const auto setting = [&](const char* key) { return Lookup(profile, key); };
  const auto id = setting("aws_access_key_id");
  const auto secret = setting("aws_secret_access_key");
  if (!id && !secret) {
    if (const auto why = UnservedSource(profile, profile_)) return Error(ErrorCode::kConfig, *why);
    return Error(ErrorCode::kNotFound, fmt::format("profile {} has no keys", profile_));
  }
  if (!id || !secret)
    return Error(
        ErrorCode::kConfig,
        fmt::format(
            "profile {} has only one of aws_access_key_id and aws_secret_access_key ({}, {})",
            profile_, files.credentials_path, files.config_path));
  auto credentials = std::make_shared<Credentials>();
  credentials->access_key_id = *id;
  credentials->secret_access_key = Secret(*secret);
  credentials->session_token = Secret(setting("aws_session_token").value_or(""));
  credentials->source = fmt::format("profile {}", profile_);
  return CredentialsPtr(std::move(credentials));
}

Result<CredentialsPtr> CredentialsChain::Get(std::stop_token stop) {
  std::string looked;
  for (const auto& member : members_) {
    Result<CredentialsPtr> found = member->Get(stop);
    if (found || found.error().code() != ErrorCode::kNotFound) return found;
    looked += fmt::format("{}{}", looked.empty() ? "" : "; ", found.error().message());
  }
  return Error(ErrorCode::kUnauthenticated,
               fmt::format("no AWS credentials: {}. Set AWS_ACCESS_KEY_ID and "
                           "AWS_SECRET_ACCESS_KEY, or aws.profile to a profile with keys",
                           looked));
}

void CredentialsChain::Invalidate() {
  for (const auto& member : members_) member->Invalidate();
}

std::unique_ptr<CredentialsProvider> MakeCredentialsChain(const Environment& environment,
                                                          const std::string& configured_profile) {
  std::vector<std::unique_ptr<CredentialsProvider>> members;
  const std::string profile = ProfileName(environment, configured_profile);
  const bool is_named =
      !configured_profile.empty() || Lookup(environment, "AWS_PROFILE").has_value();
  auto from_profile = std::make_unique<ProfileCredentialsProvider>(environment, profile, is_named);
  auto from_environment = std::make_unique<EnvironmentCredentialsProvider>(environment);
  if (!configured_profile.empty()) {
    members.push_back(std::move(from_profile));
    members.push_back(std::move(from_environment));
  } else {
    members.push_back(std::move(from_environment));
    members.push_back(std::move(from_profile));
  }
  return std::make_unique<CredentialsChain>(std::move(members));
}

}  // namespace pcw::aws
