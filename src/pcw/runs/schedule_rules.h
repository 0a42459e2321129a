// What a schedule's due time comes to: the rules of the scheduler, without the database.
#pragma once

#include <string>
#include <string_view>

#include "pcw/runs/run_request.h"
#include "pcw/runs/scheduler.h"

namespace pcw::runs {

/// A timing as `schedules` keeps it, to see whether the configuration has changed.
std::string SpecOf(const Timing& timing);

/// What a tenant's schedule is spread by (NextDue).
std::string ScheduleKeyOf(std::string_view tenant_id, const PlannedSync& sync);

/// nullptr: the plan does not have it, or not any more.
const PlannedSync* FindSync(const SchedulePlan& plan, std::string_view entity,
                            std::string_view mode);

/// Whether a run that was asked for serves what is due. An incremental pass is served by any open
/// run of its entity; a full sweep by a full one only, and waits for another to end.
bool IsServed(connector::RunMode due, const RequestedRun& requested);

/// When a schedule is due again. One that is not served is tried again in five seconds.
WallTime DueAgain(const PlannedSync& sync, std::string_view tenant_id, bool is_served, WallTime now,
                  double unit);

}  // namespace pcw::runs
