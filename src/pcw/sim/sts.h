// STS in the query protocol: GetCallerIdentity and AssumeRole.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/facts.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {

using FormFields = std::map<std::string, std::string>;

/// A form body, percent-decoded. kInvalidRequest if it is malformed or repeats a field.
Result<FormFields> ParseForm(std::string_view body);

/// Executes STS requests of a verified caller. Thread-safe.
class Sts {
 public:
  /// A non-empty `external_id` must be given by every AssumeRole. No session lives longer than
  /// `max_session`, whatever was asked: for tests of expiry.
  Sts(Keys& keys, std::string external_id, std::chrono::seconds max_session)
      : keys_(keys), external_id_(std::move(external_id)), max_session_(max_session) {}

  Answer GetCallerIdentity(const Key& caller) const;
  Answer AssumeRole(const OperationFacts& facts, const FormFields& form, WallTime now) const;

 private:
  Keys& keys_;
  const std::string external_id_;
  const std::chrono::seconds max_session_;
};

}  // namespace pcw::sim
