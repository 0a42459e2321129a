#include "pcw/config/payload_log.h"

#include <fmt/format.h>

#include "pcw/aws/error_response.h"
#include "pcw/base/log.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"

namespace pcw::config {
namespace {

constexpr std::size_t kMostShownBytes = 256U << 10U;

connector::PiiMask MaskOfAllEntities() {
  std::vector<connector::Mapping> mappings;
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    if (Result<connector::Mapping> mapping = connector::BuiltinMapping(entity->name))
      mappings.push_back(std::move(*mapping));
  }
  return connector::PiiMask(mappings);
}

std::string Bounded(std::string text) {
  if (text.size() <= kMostShownBytes) return text;
  const std::size_t shown = CutAtCharacter(text, kMostShownBytes).size();
  const std::size_t left_out = text.size() - shown;
  text.resize(shown);
  return fmt::format("{}... ({} bytes more)", text, left_out);
}

}  // namespace

PayloadLog::PayloadLog(const Clock& clock) : clock_(clock), mask_(MaskOfAllEntities()) {}

void PayloadLog::Open(WallTime until, connector::Masking masking) {
  const auto left = until - clock_.Now();
  if (left <= left.zero()) {
    Close();
    return;
  }
  // First, so that nothing is shown under the rule of before.
  const bool is_same_masking = masking_.exchange(masking) == masking;
  const bool was_same = is_open() && is_same_masking && opened_until_ == until;
  opened_until_ = until;
  // Measured by the steady clock: setting the wall clock back does not prolong it.
  until_steady_ = (clock_.Steady() + left).time_since_epoch().count();
  if (was_same) return;
  LogAlways(LogLevel::kWarn, "payloads are logged; they may contain personal data",
            {{"audit", "payload_logging_opened"},
             {"until", FormatRfc3339(until)},
             {"pii", masking == connector::Masking::kPii ? "masked" : "shown"}});
}

void PayloadLog::Close() {
  if (until_steady_.exchange(0) == 0) return;
  LogAlways(LogLevel::kWarn, "payloads are no longer logged",
            {{"audit", "payload_logging_closed"}});
}

bool PayloadLog::is_open() const {
  const auto until = until_steady_.load(std::memory_order_relaxed);
  return until != 0 && clock_.Steady().time_since_epoch().count() < until;
}

void PayloadLog::OnExchange(const aws::Operation& operation, std::string_view request,
                            const net::HttpResponse& response) {
  if (operation.service->protocol == aws::Protocol::kQuery) return;
  const connector::Masking masking = masking_;
  LogAlways(LogLevel::kDebug, "payload",
            {{"operation", std::string(operation.name)},
             {"request_id", aws::RequestIdOf(response)},
             {"status", std::to_string(response.status)},
             {"request", Bounded(mask_.Apply(request, masking))},
             {"response", Bounded(mask_.Apply(response.body, masking))}});
}

}  // namespace pcw::config
