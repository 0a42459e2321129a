// Everything that one catalog of the simulated account holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/sim/partner_central/aws_summaries.h"
#include "pcw/sim/partner_central/collection.h"
#include "pcw/sim/partner_central/leads.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/partner_central/partners.h"
#include "pcw/sim/partner_central/roster.h"
#include "pcw/sim/partner_central/solutions.h"

namespace pcw::sim {

/// The entities by the names that pcw gives them.
enum class Entity : std::uint8_t { kOpportunities, kLeads, kSolutions, kProfiles, kAwsSummaries };

/// Empty if no entity is called so.
std::optional<Entity> EntityNamed(std::string_view name);

struct ContentOptions {
  DatasetOptions opportunities;
  std::uint64_t seed = 1;
  std::uint64_t leads = 0;
  std::uint64_t solutions = 0;
  std::uint64_t profiles = 0;
};

/// Thread-safe as its parts are.
class CatalogContent {
 public:
  /// Sends its events through `events`, which outlives it.
  CatalogContent(const ContentOptions& options, Catalog catalog, TokenMint& mint,
                 EventSource& events);

  Collection& opportunities() { return opportunities_; }
  Leads& leads() { return leads_; }

  /// Executes an operation on what is not an opportunity. nullopt: it is none of those.
  std::optional<Answer> Execute(Operation operation, const CheckedCall& call);

  /// What a client should have: one JSON line per record, with its id and the hash of its bytes.
  std::string Truth(Entity entity) const;
  /// Changes records; returns their ids. kInvalidRequest: such records do not change in that way.
  Result<std::vector<std::string>> Apply(Entity entity, const ChangeOrder& order);

 private:
  Collection opportunities_;
  Solutions solutions_;
  Leads leads_;
  Partners partners_;
  AwsSummaries aws_summaries_;
};

}  // namespace pcw::sim
