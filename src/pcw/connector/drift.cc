#include "pcw/connector/drift.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace pcw::connector {
namespace {

constexpr std::array<std::pair<std::string_view, DriftKind>, 6> kKinds{
    {{"unknown_member", DriftKind::kUnknownMember},
     {"missing_member", DriftKind::kMissingMember},
     {"type_change", DriftKind::kTypeChange},
     {"new_enum", DriftKind::kNewEnum},
     {"null_rate", DriftKind::kNullRate},
     {"misfit", DriftKind::kMisfit}}};

constexpr std::int64_t kLearnedRecords = 50;
constexpr std::int64_t kJudgedRecords = 20;
constexpr double kJump = 0.10;
constexpr double kSigmas = 3.0;
constexpr double kAlwaysThere = 0.99;
constexpr std::int64_t kMissedRecords = 3;

double MissRate(const RateTally& tally) {
  return tally.records == 0 ? 0.0
                            : 1.0 - static_cast<double>(std::min(tally.hits, tally.records)) /
                                        static_cast<double>(tally.records);
}

bool IsJump(const RateTally& run, const RateTally& baseline) {
  if (run.records < kJudgedRecords || baseline.records < kLearnedRecords) return false;
  const double before = MissRate(baseline);
  const double sigma = std::sqrt(before * (1.0 - before) / static_cast<double>(run.records));
  return MissRate(run) > before + std::max(kJump, kSigmas * sigma);
}

bool IsMissing(const RateTally& run, const RateTally& baseline) {
  return baseline.records >= kLearnedRecords && MissRate(baseline) <= 1.0 - kAlwaysThere &&
         run.records - run.hits >= kMissedRecords && MissRate(run) > MissRate(baseline) + kJump;
}

// In tens: a rate that was accepted is not news again until it is quite another one.
std::string RateText(double rate, std::string_view what) {
  return fmt::format("about {:.0f} % {}", std::round(rate * 10.0) * 10.0, what);
}

bool IsBelow(std::string_view pointer, std::string_view above) {
  return pointer.size() > above.size() && pointer.starts_with(above) &&
         pointer[above.size()] == '/';
}

}  // namespace

std::string_view NameOf(DriftKind kind) { return kKinds[static_cast<std::size_t>(kind)].first; }

std::optional<DriftKind> ParseDriftKind(std::string_view name) {
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::vector<std::string> DriftKindNames() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kKinds) names.emplace_back(name);
  return names;
}

RateVerdict JudgeRates(const RateTallies& run, const RateTallies& baseline,
                       const std::set<DriftKey>& accepted) {
  RateVerdict verdict;
  std::string missing;  // the structure named last; keys are sorted, what is below it follows
  for (const auto& [key, tally] : run) {
    const auto known = baseline.find(key);
    const bool is_odd =
        known != baseline.end() &&
        (key.is_column ? IsJump(tally, known->second) : IsMissing(tally, known->second));
    if (!is_odd) {
      verdict.learned.emplace(key, tally);
      continue;
    }
    const double rate = MissRate(tally);
    const DriftKey finding{.kind = key.is_column ? DriftKind::kNullRate : DriftKind::kMissingMember,
                           .operation = key.operation,
                           .pointer = key.is_column ? "" : key.name,
                           .column = key.is_column ? key.name : "",
                           .found = RateText(rate, key.is_column ? "NULL" : "absent")};
    if (accepted.contains(finding)) {
      verdict.learned.emplace(key, tally);
      continue;
    }
    if (!key.is_column) {
      const std::string place = key.operation + key.name;
      if (!missing.empty() && IsBelow(place, missing)) continue;
      missing = place;
    }
    verdict.findings.emplace(
        finding,
        DriftCount{.expected = RateText(MissRate(known->second), key.is_column ? "NULL" : "absent"),
                   .records = tally.records - std::min(tally.hits, tally.records),
                   .sample_record = "",
                   .sample_line = 0,
                   .baseline_rate = MissRate(known->second),
                   .observed_rate = rate});
  }
  return verdict;
}

}  // namespace pcw::connector
