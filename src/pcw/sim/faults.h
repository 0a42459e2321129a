// Fault rules: read from JSON, decided per call, the same for the same seed and call numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/fault_kinds.h"
#include "pcw/sim/partner_central/opportunity.h"

namespace pcw::sim {

/// What a trigger is of: calls, or records. A rate is drawn for each call anew, or for each record
/// once and for all; `at` and `every` count calls, or records in the order they are first asked
/// for.
enum class FaultBy : std::uint8_t { kCall, kRecord };

/// One rule. It sees the calls that match its operation, catalog and identifiers, counts them from
/// 1 and fires by exactly one trigger: rate, at, every, or (none given) always; at most `limit`
/// times.
struct FaultRule {
  FaultKind kind = FaultKind::kThrottle;
  std::optional<Operation> operation;  ///< empty = any
  std::optional<Catalog> catalog;      ///< empty = any
  std::set<std::string> identifiers;   ///< empty = any
  std::optional<double> rate;
  FaultBy by = FaultBy::kCall;
  std::set<std::uint64_t> at;
  std::uint64_t every = 1;
  std::optional<std::uint64_t> limit;
  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> words;

  std::int64_t Number(std::string_view name) const { return numbers.find(name)->second; }
  const std::string& Word(std::string_view name) const { return words.find(name)->second; }
};

struct FaultPlan {
  std::uint64_t seed = 1;
  std::vector<FaultRule> rules;
};

/// Reads `{"seed": 1, "rules": [{"operation", "kind", "rate"|"at"|"every", "limit", ...}]}`. `file`
/// is only for messages. kConfig names file, rule number, key, and the nearest key to an unknown
/// one.
Result<FaultPlan> ParseFaults(std::string_view text, std::string_view file);

/// What matched one call.
class FaultDecision {
 public:
  FaultDecision() = default;
  explicit FaultDecision(std::vector<FaultRule> fired) : fired_(std::move(fired)) {}

  /// The first fired rule of that kind; nullptr if none.
  const FaultRule* Find(FaultKind kind) const;
  bool empty() const { return fired_.empty(); }
  const std::vector<FaultRule>& fired() const { return fired_; }
  FaultMask mask() const;

 private:
  std::vector<FaultRule> fired_;
};

/// What rules match on.
struct FaultedCall {
  Operation operation = Operation::kOther;
  std::optional<Catalog> catalog;
  std::string identifier;  ///< empty if the call has none
};

/// Decides calls by a replaceable plan. Thread-safe.
class FaultEngine {
 public:
  explicit FaultEngine(FaultPlan plan) { Replace(std::move(plan)); }

  /// Installs other rules; their counting starts anew.
  void Replace(FaultPlan plan);
  FaultDecision Decide(const FaultedCall& call);

 private:
  struct Counter {
    std::uint64_t seen = 0;
    std::uint64_t fired = 0;
    std::unordered_map<std::string, std::uint64_t> records;  ///< their numbers, by identifier
  };

  std::mutex mutex_;
  FaultPlan plan_;
  std::vector<Counter> counters_;
};

}  // namespace pcw::sim
