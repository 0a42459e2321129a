// One catalog's solutions, and ListSolutions over them.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/sim/answer.h"
#include "pcw/sim/partner_central/opportunity.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/partner_central/request_reader.h"
#include "pcw/sim/partner_central/roster.h"

namespace pcw::sim {

/// Each solution is a pure function of the seed, its number and its revision. Thread-safe.
class Solutions {
 public:
  Solutions(std::uint64_t seed, Catalog catalog, std::uint64_t count, TokenMint& mint);

  Answer List(const CheckedCall& call) const;

  /// Returns the ids of what changed.
  std::vector<std::string> Apply(const ChangeOrder& order);
  /// Calls `visit` with the id and the exact bytes of each solution's element. It may not call
  /// back.
  void ForEach(
      const std::function<void(const std::string& id, std::string_view element)>& visit) const;

 private:
  struct Row;

  std::string IdOf(std::uint64_t number) const;
  Row RowOf(const Numbered& record) const;
  std::string ElementOf(const Row& row) const;

  const std::uint64_t seed_;
  const Catalog catalog_;
  TokenMint& mint_;
  mutable std::mutex mutex_;
  Roster roster_;
};

}  // namespace pcw::sim
