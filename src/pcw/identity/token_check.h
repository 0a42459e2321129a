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

/// What memory alone says of a token.
enum class Recalled {
  kUnknown,  ///< nobody looked it up yet, or it was pushed out
  kWrong,    ///< another secret than the token of that id has, or one that is not in force just now
  kWasRight,  ///< the right secret; whether it is still in force must be looked up
  kRight,     ///< the right secret, believed now
};

/// Checks tokens against the database, with a small memory. Thread-safe.
///
/// What is remembered is the token as the database has it, whoever asked for it: a guess at an id
/// costs no second look-up, and the owner of the token pays for nobody's guesses. At most `most`
/// tokens that exist; ids that do not are not kept. Expiry is the database's: belief ends when the
/// token does.
class TokenCheck {
 public:
  explicit TokenCheck(const Clock& clock, std::size_t most = 10'000) : clock_(clock), most_(most) {}

  /// From memory alone: nullopt if the token is not believed now.
  std::optional<Principal> Recall(const Token& token) const;
  /// The same, with the reason.
  Recalled Judge(const Token& token) const;

  /// Asks the database. kUnauthenticated, with one text for all causes, if the token is unknown,
  /// wrong, revoked or expired. The session's tenant does not matter.
  Result<Principal> Check(pg::Connection& connection, const Token& token, std::stop_token stop);

  /// Takes what a look-up that began at `asked_at` found, and says whether the token is right.
  /// `found` absent: there is no such id. For Check and its tests.
  Result<Principal> Learn(const Token& token, const std::optional<FoundToken>& found,
                          SteadyTime asked_at);

 private:
  struct Entry {
    Principal principal;
    Sha256Digest secret_sha256{};
    bool is_live = false;
    SteadyTime believed_until;
  };
  Recalled JudgeEntry(const Entry& entry, const Sha256Digest& hash) const;
  void Remember(const FoundToken& found, const Principal& principal, SteadyTime asked_at);

  const Clock& clock_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace pcw::identity
