#include "pcw/runs/schedule_rules.h"

#include <algorithm>

#include <fmt/format.h>

namespace pcw::runs {
namespace {

using std::chrono::milliseconds;

// A sweep whose entity is busy with something else is tried again so soon.
constexpr milliseconds kBusyPause{5'000};

}  // namespace

std::string SpecOf(const Timing& timing) {
  if (const auto* cron = std::get_if<CronTiming>(&timing)) return cron->text;
  return fmt::format("every {} ms", std::get<milliseconds>(timing).count());
}

std::string ScheduleKeyOf(std::string_view tenant_id, const PlannedSync& sync) {
  return fmt::format("{}/{}/{}", tenant_id, sync.entity, NameOf(sync.mode));
}

const PlannedSync* FindSync(const SchedulePlan& plan, std::string_view entity,
                            std::string_view mode) {
  const auto found = std::find_if(
      plan.syncs.begin(), plan.syncs.end(),
      [&](const PlannedSync& sync) { return sync.entity == entity && NameOf(sync.mode) == mode; });
  return found == plan.syncs.end() ? nullptr : &*found;
}

bool IsServed(connector::RunMode due, const RequestedRun& requested) {
  return requested.is_new || due == connector::RunMode::kIncremental ||
         requested.run.mode == NameOf(connector::RunMode::kFull);
}

WallTime DueAgain(const PlannedSync& sync, std::string_view tenant_id, bool is_served, WallTime now,
                  double unit) {
  if (!is_served) return now + kBusyPause;
  return NextDue(sync.timing, now, ScheduleKeyOf(tenant_id, sync), unit);
}

}  // namespace pcw::runs
