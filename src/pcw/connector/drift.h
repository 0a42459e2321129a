// Drift: how what AWS sends departs from what is known. Names and counts; a value appears only
// where it is an enum's and tells of nobody.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/mapping.h"

namespace pcw::connector {

enum class DriftKind : std::uint8_t {
  kUnknownMember,  ///< the shipped API facts do not have it
  kMissingMember,  ///< nearly every record had it, and many of this run have not
  kTypeChange,     ///< another JSON type than the facts say
  kNewEnum,        ///< a text that is none of the facts'
  kNullRate,       ///< a column is NULL far more often than it was
  kMisfit          ///< a value that its column could not take: NULL, whole in bronze
};
/// "unknown_member", as the table spells it.
std::string_view NameOf(DriftKind kind);
std::optional<DriftKind> ParseDriftKind(std::string_view name);
std::vector<std::string> DriftKindNames();

/// What makes two departures the same finding.
struct DriftKey {
  DriftKind kind = DriftKind::kUnknownMember;
  std::string operation;  ///< "GetOpportunity"
  std::string pointer;    ///< "*" for elements; empty for a rate of a column
  std::string column;     ///< empty = none
  std::string found;      ///< JSON type, enum text, or "about 40 % NULL"
  auto operator<=>(const DriftKey&) const = default;
};

struct DriftCount {
  std::string expected;
  std::int64_t records = 0;
  std::string sample_record;                           ///< id of the first
  int sample_line = 0;                                 ///< its line in the part; 0 = none
  std::optional<double> baseline_rate, observed_rate;  ///< of NULL or absence
};

using DriftFindings = std::map<DriftKey, DriftCount>;

/// How often a member was present, or a column filled.
struct RateTally {
  std::int64_t records = 0;
  std::int64_t hits = 0;
};
struct RateKey {
  std::string operation;
  bool is_column = false;
  std::string name;  ///< pointer or column
  auto operator<=>(const RateKey&) const = default;
};
using RateTallies = std::map<RateKey, RateTally>;

/// What a run found out about rates.
struct RateVerdict {
  DriftFindings findings;  ///< kMissingMember, kNullRate
  RateTallies learned;     ///< what is to be added to the baseline: all that is not in doubt
};

/// Compares a run's rates with the baseline. A rate is in doubt, and not learned, while it is a
/// finding that nobody has accepted. Pure.
///
/// A null rate is a finding from 20 records on, when it is above a baseline of 50 records or more
/// by 10 percentage points and by 3 standard deviations. A member is missing when the baseline has
/// it in 99 % of at least 50 records, and at least 3 records and a tenth of this run lack it. Of a
/// structure that is missing only the structure is named.
RateVerdict JudgeRates(const RateTallies& run, const RateTallies& baseline,
                       const std::set<DriftKey>& accepted);

}  // namespace pcw::connector
