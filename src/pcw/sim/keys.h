// Who may sign: the documented example key, the keys that the account's state adds, and the
// sessions that STS issued.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/sim/account_state.h"

namespace pcw::sim {

inline constexpr std::string_view kAccount = "123456789012";
inline constexpr std::string_view kAccessKeyId = "AKIAIOSFODNN7EXAMPLE";
inline constexpr std::string_view kUser = "pcw-example";
inline constexpr std::string_view kSecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A key that can sign, and whom it stands for.
struct Key {
  std::string access_key_id;
  std::string secret;
  std::string session_token;           ///< empty for a long-lived key
  std::optional<WallTime> expires_at;  ///< sessions only
  std::string arn;
  std::string user_id;
  std::string account;
};

/// The keys of one simulator. Thread-safe; holds a bounded number of sessions, the oldest go first.
class Keys {
 public:
  Keys(std::uint64_t seed, const Account& account) : seed_(seed), account_(account) {}

  /// Nothing for a key that is unknown or revoked. Sessions outlive the key that asked for them.
  std::optional<Key> Find(std::string_view access_key_id) const;
  /// Issues a session for `role_arn`, valid until `expires_at`.
  Key IssueSession(std::string_view role_arn, std::string_view session_name, WallTime expires_at);

 private:
  const std::uint64_t seed_;
  const Account& account_;
  mutable std::mutex mutex_;
  std::uint64_t issued_ = 0;
  std::map<std::uint64_t, std::string> by_age_;
  std::map<std::string, Key, std::less<>> sessions_;
};

}  // namespace pcw::sim
