// A presented token becomes a principal, or does not.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/identity/token_store.h"

namespace pcw::identity {

/// Who makes a request. Everything a handler may know of its token.
struct Principal {
  std::string tenant_id, token_id, token_name, name;
  PrincipalKind kind = PrincipalKind::kService;
  ScopeSet scopes;
};

/// How long a look-up is believed, counted from before it was made: a revocation holds everywhere
/// within five seconds (I31).
inline constexpr std::chrono::seconds kTokenBelief{4};

/// Checks tokens against the database, with a small memory. Thread-safe.
///
/// The memory holds at most `most` tokens that were presented with their right secret; guesses
/// never enter it. Expiry is the database's: belief ends when the token does.
class TokenCheck {
 public:
  explicit TokenCheck(const Clock& clock, std::size_t most = 10'000) : clock_(clock), most_(most) {}

  /// From memory alone: nullopt if the token is not believed now.
  std::optional<Principal> Recall(const Token& token) const;

  /// True if that secret was right not long ago, although it must be looked up again: such a
  /// look-up is no guess.
  bool WasRight(const Token& token) const;

  /// Asks the database. kUnauthenticated, with one text for all causes, if the token is unknown,
  /// wrong, revoked or expired. The session's tenant does not matter.
  Result<Principal> Check(pg::Connection& connection, const Token& token, std::stop_token stop);

 private:
  struct Entry {
    Principal principal;
    Sha256Digest secret_sha256{};
    SteadyTime believed_until;
  };
  void Remember(const FoundToken& found, Principal principal, SteadyTime asked_at);

  const Clock& clock_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace pcw::identity
