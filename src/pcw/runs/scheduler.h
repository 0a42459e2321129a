// What is due when: per tenant, connector, entity and mode, with its state in PostgreSQL.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"
#include "pcw/pg/connection.h"
#include "pcw/runs/cron.h"
#include "pcw/runs/run_store.h"

namespace pcw::runs {

/// A full sweep by cron, or a pass every so often.
struct CronTiming {
  std::string text;
  Cron cron;
};
using Timing = std::variant<CronTiming, std::chrono::milliseconds>;

struct PlannedSync {
  std::string entity;
  connector::RunMode mode = connector::RunMode::kIncremental;
  Timing timing;
};

/// What the configuration of one tenant wants of one connector.
struct SchedulePlan {
  std::int64_t connector_id = 0;
  std::string catalog;
  std::vector<PlannedSync> syncs;
};

/// The due time after `time`: cron's next firing, up to a tenth of the way to the one after (at
/// most five minutes) later, the same for the same `key`, so that not all tenants start in one
/// second; an interval's, give or take a twentieth. Pure but for `unit`, uniform in [0, 1).
WallTime NextDue(const Timing& timing, WallTime time, std::string_view key, double unit);

/// Makes `schedules` what the plan says: new ones are due at once for a full sweep that never was,
/// else at their next time; what the plan no longer has goes. In a session of the tenant.
Status AlignSchedules(pg::Connection& connection, const SchedulePlan& plan,
                      const std::string& tenant_id, Rng& rng, std::stop_token stop);

struct TickResult {
  std::vector<std::string> runs;                     ///< asked for by this tick
  std::optional<std::chrono::milliseconds> next_in;  ///< until the next due time; nullopt: none
};

/// Asks for a run of everything that is due and says when to come back. However long nobody looked,
/// each schedule is made up by one run. A sweep that finds another kind of run of its entity open
/// stays due. Schedulers of other processes share the work (SKIP LOCKED). In a session of the
/// tenant.
Result<TickResult> Tick(pg::Connection& connection, const SchedulePlan& plan,
                        const std::string& tenant_id, Rng& rng, Clock& clock, std::stop_token stop);

}  // namespace pcw::runs
