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

/// A source that credentials come from. Asked anew each time; keeps nothing. Thread-safe.
///
/// kNotFound when it is not configured (a chain goes on); kConfig when it is configured wrongly
/// (the chain stops and says so); kUnauthenticated, kPermissionDenied, kUnavailable or kTimeout
/// when it is configured but cannot deliver.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  virtual Result<CredentialsPtr> Fetch(std::stop_token stop) = 0;
  /// True if somebody pointed this source elsewhere since the last Fetch. Quick: asked every
  /// second.
  virtual bool HasChanged() { return false; }
};

/// Supplies the credentials of each attempt, fresh enough to sign with. Thread-safe. Errors as
/// CredentialsSource.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual Result<CredentialsPtr> Get(std::stop_token stop) = 0;
  /// AWS said that `refused` are expired or unknown: the next Get asks their source, unless that
  /// was done since.
  virtual void Invalidate(const CredentialsPtr& refused) = 0;
};

}  // namespace pcw::aws
