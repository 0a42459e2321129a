// The JSON documents that credentials come in: of a process, a container endpoint, IMDS.
#pragma once

#include <string>
#include <string_view>

#include "pcw/aws/credentials.h"

namespace pcw::aws {

/// Reads AccessKeyId, SecretAccessKey, SessionToken or Token, Expiration, AccountId
/// (docs/aws-facts.md 23). kUnauthenticated, naming `source` and the member but never a value, if
/// one is missing or of another type, or the document carries a Code that is not "Success".
Result<CredentialsPtr> ParseCredentialsDocument(std::string_view json, const std::string& source);

}  // namespace pcw::aws
