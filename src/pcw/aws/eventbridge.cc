#include "pcw/aws/eventbridge.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/assert.h"
#include "pcw/base/json.h"

namespace pcw::aws::eventbridge {
namespace {

constexpr std::size_t kBytesOfTime = 14;

}  // namespace

std::size_t SizeOf(const Entry& entry) {
  return kBytesOfTime + entry.source.size() + entry.detail_type.size() + entry.detail.size();
}

Result<std::vector<EntryOutcome>> PutEvents(Caller& caller, std::string_view bus,
                                            const std::vector<Entry>& entries,
                                            std::stop_token stop) {
  PCW_ASSERT(!entries.empty() && entries.size() <= kMostEntries);
  OrderedJson request{{"Entries", OrderedJson::array()}};
  for (const Entry& entry : entries) {
    // Times of this service are numbers: seconds since 1970 (docs/aws-facts.md 3).
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(entry.time.time_since_epoch());
    request["Entries"].push_back({{"Time", seconds.count()},
                                  {"Source", entry.source},
                                  {"DetailType", entry.detail_type},
                                  {"Detail", entry.detail},
                                  {"EventBusName", bus}});
  }
  PCW_TRY(const CallResult answer, caller.Call(kPutEvents, DumpJson(request), stop));
  PCW_TRY(const Json json, ParseJson(answer.body));
  std::vector<EntryOutcome> outcomes;
  try {
    for (const Json& entry : json.at("Entries")) {
      EntryOutcome outcome{.event_id = entry.value("EventId", ""),
                           .error_code = entry.value("ErrorCode", ""),
                           .error_message = entry.value("ErrorMessage", "")};
      // An answer with neither an id nor an error is not an acceptance.
      if (outcome.event_id.empty() && outcome.error_code.empty())
        outcome.error_code = "InternalFailure";
      outcomes.push_back(std::move(outcome));
    }
  } catch (const Json::exception& problem) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("EventBridge's answer cannot be read: {}", problem.what()));
  }
  if (outcomes.size() == entries.size()) return outcomes;
  return Error(ErrorCode::kUnavailable, fmt::format("EventBridge answered for {} of {} entries",
                                                    outcomes.size(), entries.size()));
}

}  // namespace pcw::aws::eventbridge
