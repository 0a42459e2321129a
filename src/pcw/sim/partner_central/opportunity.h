// The content of an opportunity: a pure function of the seed, the record's number and its revision.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/sim/partner_central/dataset.h"

namespace pcw::sim {

/// One state of one record.
struct RecordVersion {
  std::uint64_t index = 0;
  std::uint32_t revision = 0;  ///< 0 as seeded; each modification adds one
  WallTime modified{};
  WallTime created{};
};

/// Which catalog an answer names itself after.
enum class Catalog : std::uint8_t { kAws, kSandbox };

std::string_view NameOf(Catalog catalog);

/// Writes the answers about one catalog's records, and computes single fields for filters and sorts
/// without writing the rest. Immutable, thread-safe.
class OpportunityWriter {
 public:
  OpportunityWriter(const Dataset& dataset, Catalog catalog)
      : dataset_(dataset), catalog_(catalog) {}

  /// The exact body of GetOpportunity, 2.5 to 4 KB.
  std::string Body(const RecordVersion& version) const;
  /// Appends the record's element of OpportunitySummaries.
  void AppendSummary(std::string& out, const RecordVersion& version) const;

  std::string_view Stage(const RecordVersion& version) const;
  std::string_view ReviewStatus(const RecordVersion& version) const;
  /// Customer.Account.CompanyName; does not change with the revision. Empty if absent.
  std::string CompanyName(std::uint64_t index) const;
  /// LifeCycle.TargetCloseDate, "YYYY-MM-DD"; does not change with the revision.
  std::string TargetCloseDate(const RecordVersion& version) const;

 private:
  const Dataset& dataset_;
  Catalog catalog_;
};

}  // namespace pcw::sim
