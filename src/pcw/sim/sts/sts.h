// STS in the query protocol: GetCallerIdentity, AssumeRole and AssumeRoleWithWebIdentity.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/result.h"
#include "pcw/sim/account_state.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/facts.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {

using FormFields = std::map<std::string, std::string>;

inline constexpr std::size_t kMostFormBytes = 64U << 10U;

/// A form body, percent-decoded. kInvalidRequest if it is longer than `most_bytes`, malformed, or
/// repeats a field.
Result<FormFields> ParseForm(std::string_view body, std::size_t most_bytes = kMostFormBytes);

/// What a web identity token past its time is answered.
Answer ExpiredWebIdentity();

/// Executes STS requests. Roles are those of the own account, unless its state denies the action.
/// Thread-safe.
class Sts {
 public:
  /// A non-empty `external_id` must be given by every AssumeRole. No session lives longer than
  /// `max_session`, whatever was asked: for tests of expiry.
  Sts(Keys& keys, const Account& account, std::string external_id, std::chrono::seconds max_session)
      : keys_(keys),
        account_(account),
        external_id_(std::move(external_id)),
        max_session_(max_session) {}

  Answer GetCallerIdentity(const Key& caller) const;
  Answer AssumeRole(const OperationFacts& facts, const FormFields& form, const Key& caller,
                    WallTime now) const;
  /// Accepts any token of the modelled length but the words `expired` and `invalid`; the subject is
  /// a function of the token.
  Answer AssumeRoleWithWebIdentity(const OperationFacts& facts, const FormFields& form,
                                   WallTime now) const;

 private:
  /// Whether the role's trust policy lets a caller with that external id assume it.
  bool IsTrusted(std::string_view role, std::string_view external_id) const;
  /// Whether the account lets anybody assume that role by that operation.
  bool IsAllowed(const OperationFacts& facts, std::string_view role) const;
  /// The answer with a new session for a checked request, `more` members in front.
  Answer Grant(const OperationFacts& facts, const Json& request, std::string_view more,
               WallTime now) const;

  Keys& keys_;
  const Account& account_;
  const std::string external_id_;
  const std::chrono::seconds max_session_;
};

}  // namespace pcw::sim
