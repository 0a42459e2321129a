#include "pcw/runs/scheduler.h"

#include <algorithm>
#include <functional>

#include "pcw/runs/database_clock.h"
#include "pcw/runs/run_request.h"
#include "pcw/runs/schedule_rules.h"

namespace pcw::runs {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr microseconds kMostJitter = std::chrono::minutes(5);

// FNV-1a: the same on every machine, unlike std::hash.
std::uint64_t SpreadOf(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string EpochMicros(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

Result<std::optional<std::string>> ServeDue(pg::Connection& connection, const SchedulePlan& plan,
                                            const PlannedSync& sync, const std::string& tenant_id,
                                            Rng& rng, Clock& clock, std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "serve due", stop));
  PCW_TRY(
      const pg::Rows locked,
      connection.Exec(
          {"schedule_lock",
           "SELECT 1 FROM schedules WHERE tenant_id = pcw_tenant() AND "
           "connector_id = $1::bigint AND entity = $2 AND mode = $3 AND next_due "
           "<= clock_timestamp() FOR UPDATE SKIP LOCKED"},
          {std::to_string(plan.connector_id), sync.entity, std::string(NameOf(sync.mode))}, stop));
  if (locked.empty()) return std::optional<std::string>();  // another scheduler has it
  PCW_TRY(const RequestedRun requested,
          RequestRunWithin(transaction, plan.connector_id, plan.catalog,
                           {.entity = sync.entity,
                            .mode = sync.mode,
                            .requested_by = "scheduler",
                            .trigger = "schedule"},
                           rng, clock, stop));
  const bool is_served = IsServed(sync.mode, requested);
  PCW_TRY(const WallTime now, DatabaseNow(connection, stop));
  const WallTime next = DueAgain(sync, tenant_id, is_served, now, rng.NextUnit());
  PCW_TRY_OK(connection.Exec(
      {"schedule_serve",
       "UPDATE schedules SET last_due = CASE WHEN $6::boolean THEN next_due ELSE last_due END, "
       "last_run = CASE WHEN $6::boolean THEN $5::uuid ELSE last_run END, next_due = "
       "'epoch'::timestamptz + $4::bigint * interval '1 microsecond', updated_at = now() WHERE "
       "tenant_id = pcw_tenant() AND connector_id = $1::bigint AND entity = $2 AND mode = $3"},
      {std::to_string(plan.connector_id), sync.entity, std::string(NameOf(sync.mode)),
       EpochMicros(next), requested.run.id, is_served ? "true" : "false"},
      stop));
  PCW_TRY_OK(transaction.Commit());
  if (!requested.is_new) return std::optional<std::string>();
  return std::optional<std::string>(requested.run.id);
}

}  // namespace

WallTime NextDue(const Timing& timing, WallTime time, std::string_view key, double unit) {
  if (const auto* every = std::get_if<milliseconds>(&timing)) {
    const auto wait = static_cast<double>(microseconds(*every).count()) * (0.95 + 0.1 * unit);
    return time + microseconds(static_cast<std::int64_t>(wait));
  }
  const Cron& cron = std::get<CronTiming>(timing).cron;
  // The offset is the same every time, so the firing that it belongs to is looked for behind it.
  WallTime firing = cron.NextAfter(time - kMostJitter - std::chrono::minutes(1));
  for (;;) {
    const microseconds span =
        std::min<microseconds>((cron.NextAfter(firing) - firing) / 10, kMostJitter);
    const auto offset = microseconds(
        static_cast<std::int64_t>(SpreadOf(key) % (static_cast<std::uint64_t>(span.count()) + 1)));
    if (firing + offset > time) return firing + offset;
    firing = cron.NextAfter(firing);
  }
}

Status AlignSchedules(pg::Connection& connection, const SchedulePlan& plan,
                      const std::string& tenant_id, Rng& rng, std::stop_token stop) {
  PCW_TRY(const WallTime now, DatabaseNow(connection, stop));
  for (const PlannedSync& sync : plan.syncs) {
    const WallTime next = NextDue(sync.timing, now, ScheduleKeyOf(tenant_id, sync), rng.NextUnit());
    PCW_TRY_OK(connection.Exec(
        {"schedule_align",
         "INSERT INTO schedules AS s (tenant_id, connector_id, entity, mode, spec, next_due) "
         "SELECT pcw_tenant(), $1::bigint, $2, $3, $4, CASE WHEN $3 = 'full' AND NOT EXISTS "
         "(SELECT FROM ingestion_runs r WHERE r.tenant_id = pcw_tenant() AND r.connector_id = "
         "$1::bigint AND r.entity = $2 AND r.mode = 'full' AND r.status IN ('succeeded', "
         "'partial')) THEN now() ELSE 'epoch'::timestamptz + $5::bigint * interval '1 "
         "microsecond' END ON CONFLICT (tenant_id, connector_id, entity, mode) DO UPDATE SET spec "
         "= excluded.spec, next_due = excluded.next_due, updated_at = now() WHERE s.spec <> "
         "excluded.spec"},
        {std::to_string(plan.connector_id), sync.entity, std::string(NameOf(sync.mode)),
         SpecOf(sync.timing), EpochMicros(next)},
        stop));
  }
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"schedule_list",
                           "SELECT entity, mode FROM schedules WHERE tenant_id = pcw_tenant() AND "
                           "connector_id = $1::bigint"},
                          {std::to_string(plan.connector_id)}, stop));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (FindSync(plan, rows.Text(row, 0), rows.Text(row, 1)) != nullptr) continue;
    PCW_TRY_OK(connection.Exec({"schedule_drop",
                                "DELETE FROM schedules WHERE tenant_id = pcw_tenant() AND "
                                "connector_id = $1::bigint AND entity = $2 AND mode = $3"},
                               {std::to_string(plan.connector_id), std::string(rows.Text(row, 0)),
                                std::string(rows.Text(row, 1))},
                               stop));
  }
  return Ok{};
}

Result<TickResult> Tick(pg::Connection& connection, const SchedulePlan& plan,
                        const std::string& tenant_id, Rng& rng, Clock& clock,
                        std::stop_token stop) {
  TickResult result;
  // A full sweep holds what a pass would bring: it goes first.
  PCW_TRY(const pg::Rows due,
          connection.Exec({"schedule_due",
                           "SELECT entity, mode FROM schedules WHERE tenant_id = pcw_tenant() AND "
                           "connector_id = $1::bigint AND next_due <= clock_timestamp() ORDER BY "
                           "mode, next_due"},
                          {std::to_string(plan.connector_id)}, stop));
  for (std::size_t row = 0; row < due.size(); ++row) {
    const PlannedSync* sync = FindSync(plan, due.Text(row, 0), due.Text(row, 1));
    if (sync == nullptr) continue;  // a newer configuration's, on another machine
    PCW_TRY(std::optional<std::string> run,
            ServeDue(connection, plan, *sync, tenant_id, rng, clock, stop));
    if (run) result.runs.push_back(std::move(*run));
  }
  PCW_TRY(const pg::Rows next,
          connection.Exec({"schedule_next",
                           "SELECT (extract(epoch FROM min(next_due) - clock_timestamp()) * "
                           "1000)::bigint FROM schedules WHERE tenant_id = pcw_tenant() AND "
                           "connector_id = $1::bigint"},
                          {std::to_string(plan.connector_id)}, stop));
  if (next.At(0, 0)) result.next_in = milliseconds(std::max<std::int64_t>(0, next.Int(0, 0)));
  return result;
}

}  // namespace pcw::runs
