// Keys in a file that somebody put there: of a secrets agent, or `aws iam create-access-key`.
#pragma once

#include <string>

#include "pcw/aws/credentials.h"

namespace pcw::aws {

/// Reads one file anew each time, in any of the forms AWS's own tools write: the JSON document of
/// `aws configure export-credentials` or a credential_process, the answer of
/// `aws iam create-access-key`, or an INI file whose [default] has keys. kConfig if the file is
/// absent, of another form, or open to other users than its owner.
class FileCredentials final : public CredentialsSource {
 public:
  explicit FileCredentials(std::string path) : path_(std::move(path)) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  const std::string path_;
};

}  // namespace pcw::aws
