// The operations of partnercentral-account: a checked request in, the answer's body out.
#pragma once

#include <cstdint>

#include "pcw/base/json.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/opportunity.h"

namespace pcw::sim {

/// The one partner of the simulated account, a pure function of the seed. Executes requests whose
/// form was checked already. Immutable, thread-safe.
class Partners {
 public:
  explicit Partners(std::uint64_t seed) : seed_(seed) {}

  /// One page with the one partner. No page token was ever issued: any is a ValidationException.
  Answer List(const Json& request, Catalog catalog) const;

 private:
  const std::uint64_t seed_;
};

}  // namespace pcw::sim
