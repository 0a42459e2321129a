#include "pcw/dlq/replay_rules.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::dlq {

bool IsGuarded(const ReplayHistory& history, int loop_guard, std::int64_t version) {
  return loop_guard > 0 && history.failed_replays >= loop_guard &&
         (history.failed_by == 0 || history.failed_by == version);
}

std::string AddChanges(const std::string& sum_json, const std::string& more_json) {
  constexpr std::size_t kMostShown = 3;
  Result<Json> sum = ParseJson(sum_json);
  const Result<Json> more = ParseJson(more_json);
  if (!sum || !more || sum->empty()) return more_json;
  for (const Json& change : *more) {
    const auto known = std::find_if(sum->begin(), sum->end(), [&](const Json& column) {
      return column["column"] == change["column"];
    });
    if (known == sum->end()) {
      sum->push_back(change);
      continue;
    }
    (*known)["rows"] =
        known->value("rows", std::int64_t{0}) + change.value("rows", std::int64_t{0});
    for (const Json& example : change["examples"]) {
      if ((*known)["examples"].size() < kMostShown) (*known)["examples"].push_back(example);
    }
  }
  return DumpJson(*sum);
}

}  // namespace pcw::dlq
