#include "pcw/wiring/quota_plan.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/partner_central_selling.h"
#include "pcw/base/time.h"
#include "pcw/wiring/progress_display.h"

namespace pcw::wiring {
namespace {

using std::chrono::milliseconds;

milliseconds Between(WallTime from, WallTime until) {
  return std::chrono::duration_cast<milliseconds>(until - from);
}

// A plan of weeks is read by its end, not by its thousandth pause.
constexpr std::size_t kMostPauses = 10;

std::string Seconds(WallTime time) {
  return FormatRfc3339(std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace

Result<quota::Plan> PlanFor(pg::Connection& connection, const config::Config& config,
                            const std::string& account_id, std::string_view quota_class,
                            quota::Purpose purpose, std::int64_t calls,
                            std::int64_t calls_per_resume, Machine& machine, std::stop_token stop) {
  const quota::QuotaLimits limits = LimitsOf(config);
  quota::PlanRequest request{.calls = calls, .used = {}, .starts_at = machine.clock.Now()};
  if (quota_class == "write") {
    request.per_second = limits.writes_per_second;
    request.per_day = limits.writes_per_day;
  } else {
    request.per_second = limits.reads_per_second;
    request.per_day =
        purpose == quota::Purpose::kBulk ? limits.bulk_reads_per_day() : limits.reads_per_day;
  }
  PCW_TRY(request.used,
          quota::LoadMinuteUse(connection, account_id, aws::partner_central_selling::kService.id,
                               quota_class, stop));
  request.calls_per_resume = calls_per_resume;
  request.resume_with = ResumeWith(calls_per_resume);
  return quota::MakePlan(request);
}

std::int64_t ResumeWith(std::int64_t calls_per_resume) {
  constexpr std::int64_t kLeast = 6'000;  // ten minutes' worth at AWS's rate
  return std::max(kLeast, 10 * calls_per_resume);
}

OrderedJson DescribePlan(const quota::Plan& plan, WallTime now) {
  OrderedJson json;
  json["calls"] = plan.calls;
  json["left_24h"] = plan.left_now;
  json["finish_at"] = Seconds(plan.finishes_at);
  json["takes"] = FormatDuration(Between(now, plan.finishes_at));
  OrderedJson pauses = OrderedJson::array();
  for (const quota::PlanPause& pause : plan.pauses) {
    if (pauses.size() == kMostPauses) break;
    pauses.push_back({{"from", Seconds(pause.from)},
                      {"until", Seconds(pause.until)},
                      {"reason", NameOf(Reason::kQuotaSpent)}});
  }
  json["pauses"] = std::move(pauses);
  json["more_pauses"] = std::max<std::int64_t>(
      0, static_cast<std::int64_t>(plan.pauses.size()) - static_cast<std::int64_t>(kMostPauses));
  return json;
}

std::vector<std::string> DelaysOf(const config::Config& config, const quota::Plan& plan,
                                  WallTime now, EntityHeld entity) {
  std::vector<std::string> delays;
  const milliseconds takes = Between(now, plan.finishes_at);
  const milliseconds every = config.partner_central.incremental_every;
  if (entity == EntityHeld::kYes && takes > every) {
    delays.push_back(fmt::format(
        "{} incremental syncs of the same entity (every {}): one run holds an entity at a time",
        FormatCount(takes / every), FormatDuration(every)));
  }
  if (!plan.pauses.empty()) {
    delays.push_back(
        "every other sync, while the daily quota is exhausted: they share the account's reads");
  }
  if (config.quota.reserve_percent > 0) {
    delays.push_back(fmt::format(
        "not writes, metering and diagnosis: {} reads of the day are kept for them",
        FormatCount(config.quota.reads_per_day - LimitsOf(config).bulk_reads_per_day())));
  }
  return delays;
}

}  // namespace pcw::wiring
