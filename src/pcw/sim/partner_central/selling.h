// The Partner Central Selling operations: a checked request in, the answer's body out.
#pragma once

#include <cstdint>
#include <map>

#include <nlohmann/json_fwd.hpp>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/faults.h"
#include "pcw/sim/partner_central/collection.h"
#include "pcw/sim/partner_central/page_token.h"

namespace pcw::sim {

/// The catalogs of the simulated account. Thread-safe as its members are.
struct Catalogs {
  Collection& aws;
  Collection& sandbox;

  Collection& Of(Catalog catalog) const { return catalog == Catalog::kAws ? aws : sandbox; }
};

/// Executes requests whose form was checked already. Thread-safe.
class Selling {
 public:
  /// `filter_granularity`: AfterLastModifiedDate is cut to it first, as a service that keeps whole
  /// seconds would.
  Selling(Catalogs catalogs, TokenMint& mint, Granularity filter_granularity)
      : catalogs_(catalogs), mint_(mint), filter_granularity_(filter_granularity) {}

  Answer List(const Json& request, Catalog catalog, const FaultDecision& faults, WallTime now);
  Answer Get(const Json& request, Catalog catalog, const FaultDecision& faults) const;

 private:
  ListQuery QueryOf(const Json& request) const;

  const Catalogs catalogs_;
  TokenMint& mint_;
  const Granularity filter_granularity_;
};

}  // namespace pcw::sim
