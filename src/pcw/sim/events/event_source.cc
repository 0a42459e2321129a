#include "pcw/sim/events/event_source.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/unknown_name.h"

namespace pcw::sim {
namespace {

std::string EventIdOf(std::uint64_t seed, std::uint64_t number) {
  const std::uint64_t high = Mix(seed ^ 0x6576656e74, number);
  const std::uint64_t low = Mix(high);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                     high & 0xfffU, low >> 52U, low & 0xffffffffffffULL);
}

bool IsDrawn(std::uint64_t seed, std::uint64_t number, double share) {
  return static_cast<double>(Mix(seed, number) >> 11U) * 0x1.0p-53 < share;
}

// Decimals come as their text (see ParseJson).
Result<double> ShareOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return 0.0;
  const std::string text = found->is_string() ? found->get<std::string>() : DumpJson(*found);
  double share = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (problem != std::errc{} || end != text.data() + text.size() || !(share >= 0) || share > 1) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not a number from 0 to 1", name));
  }
  return share;
}

}  // namespace

void EventSource::Connect(Deliver deliver) {
  const std::lock_guard lock(mutex_);
  deliver_ = std::move(deliver);
}

void EventSource::Replace(EventRule rule) {
  const std::lock_guard lock(mutex_);
  rule_ = std::move(rule);
}

EventRule EventSource::rule() const {
  const std::lock_guard lock(mutex_);
  return rule_;
}

EventTotals EventSource::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void EventSource::Emit(const EventContent& content, WallTime now) {
  const std::lock_guard lock(mutex_);
  if (!rule_.is_enabled || !deliver_) return;
  const std::uint64_t number = number_++;
  ++totals_.made;
  if (IsDrawn(rule_.seed ^ 0x64726f70, number, rule_.drop)) {
    ++totals_.dropped;
    return;
  }
  OrderedJson resources = OrderedJson::array();
  if (!content.resource.empty()) resources.push_back(content.resource);
  const OrderedJson event{{"version", content.version},
                          {"id", EventIdOf(rule_.seed, number)},
                          {"detail-type", content.detail_type},
                          {"source", "aws.partnercentral-selling"},
                          {"account", kAccount},
                          {"time", FormatRfc3339(std::chrono::floor<std::chrono::seconds>(now))},
                          {"region", "us-east-1"},
                          {"resources", std::move(resources)},
                          {"detail", content.detail}};
  const std::string body = DumpJson(event);
  if (!deliver_(rule_.queue, body)) {
    ++totals_.dropped;
    return;
  }
  ++totals_.delivered;
  if (!IsDrawn(rule_.seed ^ 0x747769, number, rule_.duplicate)) return;
  ++totals_.duplicated;
  deliver_(rule_.queue, body);
}

Result<EventRule> ParseEventRule(std::string_view text) {
  PCW_TRY(const Json json, ParseJson(text));
  if (!json.is_object()) return Error(ErrorCode::kInvalidRequest, "the body is not a JSON object");
  const std::vector<std::string> known{"enabled", "queue", "drop", "duplicate", "seed"};
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      return Error(ErrorCode::kInvalidRequest, UnknownName("key", key, known));
  }
  EventRule rule;
  if (json.contains("enabled")) {
    if (!json["enabled"].is_boolean())
      return Error(ErrorCode::kInvalidRequest, "\"enabled\" is not true or false");
    rule.is_enabled = json["enabled"].get<bool>();
  }
  if (json.contains("queue")) {
    if (!json["queue"].is_string())
      return Error(ErrorCode::kInvalidRequest, "\"queue\" is not a name");
    rule.queue = json["queue"].get<std::string>();
  }
  PCW_TRY(rule.drop, ShareOf(json, "drop"));
  PCW_TRY(rule.duplicate, ShareOf(json, "duplicate"));
  if (json.contains("seed")) {
    if (!json["seed"].is_number_unsigned())
      return Error(ErrorCode::kInvalidRequest, "\"seed\" is not a whole number");
    rule.seed = json["seed"].get<std::uint64_t>();
  }
  return rule;
}

EventContent OpportunityEvent(bool is_new, Catalog catalog, const std::string& id) {
  return {.version = "1",
          .detail_type = is_new ? "Opportunity Created" : "Opportunity Updated",
          .resource = "",
          .detail = {{"schemaVersion", "1"},
                     {"catalog", NameOf(catalog)},
                     {"opportunity", {{"identifier", id}}}}};
}

}  // namespace pcw::sim
