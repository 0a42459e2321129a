// Where credentials are looked for, and in which order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pcw/aws/credentials/credentials_reference.h"

namespace pcw::aws {

/// Asks its members in order; the first that is configured decides. kUnauthenticated, saying where
/// it looked, if none is.
class CredentialsChain final : public CredentialsSource {
 public:
  explicit CredentialsChain(std::vector<std::unique_ptr<CredentialsSource>> members)
      : members_(std::move(members)) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  const std::vector<std::unique_ptr<CredentialsSource>> members_;
};

/// What pcw's own configuration says about credentials.
struct ChainSettings {
  std::string profile;         ///< aws.profile; empty = AWS_PROFILE or "default"
  std::string role_arn;        ///< aws.role_arn; empty = none
  std::string external_id;     ///< aws.external_id
  std::string reference_file;  ///< where `credentials rotate` keeps its reference; empty = nowhere
  std::optional<CredentialsReference> candidate;  ///< to be tried instead of all the others
};

/// Where a reference points: a profile with all that it may say, or a file of keys.
std::unique_ptr<CredentialsSource> MakeReferencedSource(const ProfileDeps& deps,
                                                        const CredentialsReference& reference);

/// The default chain, in the order of the AWS CLI (docs/aws-facts.md 23,
/// tests/fixtures/aws_profiles): environment, role of the profile, web identity, keys and process
/// of the profile, container, instance; then the configured role on top. A profile named in pcw's
/// own configuration is the only source, as one passed to an SDK in code; AWS_PROFILE does not keep
/// the environment's keys from coming first. A reference set by `credentials rotate` replaces all
/// of them but the role.
std::unique_ptr<CredentialsSource> MakeCredentialsChain(const ProfileDeps& deps,
                                                        const ChainSettings& settings);

}  // namespace pcw::aws
