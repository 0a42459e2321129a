// The state of the simulated account that a test can set: linked or not, denied actions, keys.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/json.h"
#include "pcw/base/result.h"

namespace pcw::sim {

/// An access key of an IAM user.
struct LongLivedKey {
  std::string access_key_id;
  std::string secret;
  std::string user;
  std::string account;
};

/// A role that may be assumed, and what its trust policy asks for.
struct TrustedRole {
  std::string arn;
  std::string external_id;  ///< empty = none is asked for
};

/// One state. The default is an account that may do everything.
struct AccountState {
  bool is_linked = true;  ///< false: every Partner Central operation is denied
  std::set<std::string, std::less<>> denied_actions{};  ///< "partnercentral:GetOpportunity"
  std::set<std::string, std::less<>> revoked_keys{};    ///< key ids that are as good as unknown
  std::vector<LongLivedKey> keys{};                     ///< beside the one of AWS's documentation
  std::vector<TrustedRole> roles{};  ///< AssumeRole knows these alone; empty = any of the account
};

/// Reads `{"linked", "denied_actions", "revoked_keys", "keys": [{"access_key_id",
/// "secret_access_key", "user", "account_id"}], "roles": [{"arn", "external_id"}]}`; what is absent
/// has its default. `actions`: the ones that can be denied. kInvalidRequest names the member, what
/// was expected, and the nearest name to an unknown one.
Result<AccountState> ParseAccountState(std::string_view text, std::span<const std::string> actions);

/// The same document, every member there, without the secrets.
OrderedJson DescribeAccountState(const AccountState& state);

/// Holds the present state, which is replaced as a whole. Thread-safe.
class Account {
 public:
  std::shared_ptr<const AccountState> state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  void Replace(AccountState state) {
    auto next = std::make_shared<const AccountState>(std::move(state));
    const std::lock_guard lock(mutex_);
    state_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const AccountState> state_ = std::make_shared<const AccountState>();
};

}  // namespace pcw::sim
