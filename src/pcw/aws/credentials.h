// AWS credentials and where they come from.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/base/secret.h"

namespace pcw::aws {

/// One set of keys. Immutable once made.
struct Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;                ///< empty = none
  std::optional<WallTime> expires_at;  ///< absent = does not expire
  std::string account_id;              ///< empty = not told by the source
  std::string source;  ///< "environment", "profile default (/home/x/.aws/credentials)": for people
};

using CredentialsPtr = std::shared_ptr<const Credentials>;

/// Supplies the credentials of each attempt. Thread-safe.
///
/// kUnauthenticated when this source is configured but cannot deliver; kNotFound when it is not
/// configured (the chain goes on); kConfig when it is configured wrongly (the chain stops and says
/// so).
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual Result<CredentialsPtr> Get(std::stop_token stop) = 0;
  /// AWS said that the current ones are expired or unknown: the next Get must not return the same
  /// cached set without asking its source.
  virtual void Invalidate() = 0;
};

}  // namespace pcw::aws
