#include "pcw/aws/credentials/credentials_chain.h"

#include <fmt/format.h>

#include "pcw/aws/credentials/environment_credentials.h"
#include "pcw/aws/credentials/metadata_credentials.h"

namespace pcw::aws {

Result<CredentialsPtr> CredentialsChain::Fetch(std::stop_token stop) {
  std::string looked;
  for (const auto& member : members_) {
    Result<CredentialsPtr> found = member->Fetch(stop);
    if (found || found.error().code() != ErrorCode::kNotFound) return found;
    // Both halves of a profile say the same of one that is not there.
    if (looked.find(found.error().message()) != std::string::npos) continue;
    looked += fmt::format("{}{}", looked.empty() ? "" : "; ", found.error().message());
  }
  return Error(ErrorCode::kUnauthenticated,
               fmt::format("no AWS credentials: {}. Set AWS_ACCESS_KEY_ID and "
                           "AWS_SECRET_ACCESS_KEY, or aws.profile to a profile that has some",
                           looked));
}

std::unique_ptr<CredentialsSource> MakeReferencedSource(const ProfileDeps& deps,
                                                        const CredentialsReference& reference) {
  if (reference.kind == CredentialsReference::Kind::kFile)
    return std::make_unique<FileCredentials>(reference.target);
  return std::make_unique<ProfileCredentials>(deps, reference.target, IfAbsent::kMistake);
}

std::unique_ptr<CredentialsSource> MakeCredentialsChain(const ProfileDeps& deps,
                                                        const ChainSettings& settings) {
  const Environment& environment = deps.sts.environment;
  const std::string profile = ProfileName(environment, settings.profile);
  const IfAbsent if_absent = !settings.profile.empty() || NamedProfile(environment)
                                 ? IfAbsent::kMistake
                                 : IfAbsent::kNothing;
  std::vector<std::unique_ptr<CredentialsSource>> members;
  const auto add_profile = [&](ProfilePart part) {
    members.push_back(std::make_unique<ProfileCredentials>(deps, profile, if_absent, part));
  };
  if (settings.profile.empty()) {
    members.push_back(std::make_unique<EnvironmentCredentials>(environment));
    add_profile(ProfilePart::kRole);
    members.push_back(std::make_unique<WebIdentityCredentials>(deps.sts));
    add_profile(ProfilePart::kRest);
    members.push_back(
        std::make_unique<ContainerCredentials>(environment, deps.metadata, deps.sts.sleeper));
    members.push_back(std::make_unique<InstanceCredentials>(environment, deps.metadata));
  } else {
    add_profile(ProfilePart::kAll);
  }
  std::unique_ptr<CredentialsSource> chain = std::make_unique<CredentialsChain>(std::move(members));
  if (settings.candidate) {
    chain = MakeReferencedSource(deps, *settings.candidate);
  } else if (!settings.reference_file.empty()) {
    chain = std::make_unique<ReferencedCredentials>(settings.reference_file, std::move(chain),
                                                    [deps](const CredentialsReference& reference) {
                                                      return MakeReferencedSource(deps, reference);
                                                    });
  }
  if (settings.role_arn.empty()) return chain;
  return std::make_unique<RoleOverCredentials>(deps.sts,
                                               RoleSettings{.role_arn = settings.role_arn,
                                                            .external_id = settings.external_id,
                                                            .session_name = "",
                                                            .duration_seconds = "",
                                                            .described_by = "aws.role_arn"},
                                               std::move(chain));
}

}  // namespace pcw::aws
