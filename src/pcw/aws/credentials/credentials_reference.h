// The reference that `credentials rotate` switches: which credentials are in force, never what they
// are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/aws/credentials/file_credentials.h"
#include "pcw/aws/credentials/profile_credentials.h"

namespace pcw::aws {

/// "profile:NAME" or "file:/absolute/path".
struct CredentialsReference {
  enum class Kind { kProfile, kFile };
  Kind kind = Kind::kProfile;
  std::string target;

  std::string ToString() const;
};

/// kInvalidRequest for another form.
Result<CredentialsReference> ParseReference(std::string_view text);

/// Nothing if there is no reference: the configured chain counts. kConfig for a damaged file.
Result<std::optional<CredentialsReference>> LoadReference(const std::string& file);

/// Replaces the reference durably; nothing = back to the configured chain.
Status SaveReference(const std::string& file, const std::optional<CredentialsReference>& reference);

/// The credentials that the reference in `file` names, or those of `configured` without one. Looks
/// at the file each time, so that running processes follow a rotation. Thread-safe.
class ReferencedCredentials final : public CredentialsSource {
 public:
  using MakeSource = std::function<std::unique_ptr<CredentialsSource>(const CredentialsReference&)>;
  ReferencedCredentials(std::string file, std::unique_ptr<CredentialsSource> configured,
                        MakeSource make_source)
      : file_(std::move(file)),
        configured_(std::move(configured)),
        make_source_(std::move(make_source)) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;
  bool HasChanged() override;

 private:
  const std::string file_;
  const std::unique_ptr<CredentialsSource> configured_;
  const MakeSource make_source_;
  std::mutex mutex_;
  std::string seen_;  // guarded by mutex_: which file the last Fetch that succeeded saw
};

}  // namespace pcw::aws
