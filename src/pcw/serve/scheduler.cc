// The role scheduler: asks for the runs that are due, for every tenant.
#include "pcw/runs/scheduler.h"

#include <algorithm>
#include <map>
#include <thread>

#include "pcw/base/log.h"
#include "pcw/jobs/job_requests.h"
#include "pcw/pg/session.h"
#include "pcw/serve/serve.h"
#include "pcw/wiring/sync_command.h"

namespace pcw::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestSleep{1'000};  // a new tenant or schedule is seen within this
constexpr std::chrono::minutes kBetweenPrunes{10};

runs::PlannedSync IncrementalOf(const config::Config& config, const connector::EntityDef& entity) {
  const bool has_filter = entity.incremental == connector::Incremental::kByModifiedFilter;
  return {.entity = std::string(entity.name),
          .mode = connector::RunMode::kIncremental,
          .timing = has_filter ? config.partner_central.incremental_every
                               : config.partner_central.list_every};
}

Result<runs::SchedulePlan> MakePlan(const config::Config& config, pg::Connection& connection,
                                    std::stop_token stop) {
  runs::SchedulePlan plan;
  const bool is_enabled = config.partner_central.is_enabled;
  PCW_TRY(plan.connector_id,
          runs::UpsertConnector(connection, connector::PartnerCentral(), is_enabled,
                                wiring::ConnectorConfigJson(config), stop));
  plan.catalog = config.partner_central.catalog;
  if (!is_enabled) return plan;
  PCW_TRY(const runs::Cron cron, runs::Cron::Parse(config.partner_central.schedule));
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    if (!wiring::IsConfigured(*entity, config)) continue;
    plan.syncs.push_back({.entity = std::string(entity->name),
                          .mode = connector::RunMode::kFull,
                          .timing = runs::CronTiming{config.partner_central.schedule, cron}});
    plan.syncs.push_back(IncrementalOf(config, *entity));
  }
  return plan;
}

class SchedulerRole final : public ServeRole {
 public:
  SchedulerRole(ServeDeps& deps, std::stop_token stop) : deps_(deps), session_(deps, "scheduler") {
    thread_ = std::jthread([this, stop = std::move(stop)] { Keep(stop); });
  }

 private:
  struct Planned {
    std::shared_ptr<const config::Config> config;  // what the plan was made from
    runs::SchedulePlan plan;
  };

  void Keep(const std::stop_token& stop) {
    const LogScope scope(LogFields{{"role", "scheduler"}});
    while (!stop.stop_requested()) {
      pg::Connection* connection = session_.Get(stop);
      if (connection == nullptr) continue;
      milliseconds sleep = kLongestSleep;
      bool is_well = true;
      for (const wiring::TenantDirectory::Tenant& tenant : deps_.tenants.All()) {
        connection = session_.Get(stop);
        if (connection == nullptr) break;
        const Result<milliseconds> next = TickTenant(*connection, tenant, stop);
        if (next) {
          sleep = std::min(sleep, *next);
        } else {  // the other tenants go on
          session_.Failed("scheduling", next.error());
          is_well = false;
        }
      }
      if (connection == nullptr || !is_well) continue;
      session_.Worked();
      Prune(*connection, stop);
      deps_.machine.sleeper.SleepFor(std::max(sleep, milliseconds(20)), stop);
    }
  }

  Result<milliseconds> TickTenant(pg::Connection& connection,
                                  const wiring::TenantDirectory::Tenant& tenant,
                                  std::stop_token stop) {
    const LogScope scope(LogFields{{"tenant", tenant.name}});
    PCW_TRY_OK(pg::ChangeTenant(connection, tenant.id, stop));
    Planned& planned = plans_[tenant.id];
    if (planned.config != tenant.config) {
      PCW_TRY(planned.plan, MakePlan(*tenant.config, connection, stop));
      PCW_TRY_OK(
          runs::AlignSchedules(connection, planned.plan, tenant.id, deps_.machine.rng, stop));
      planned.config = tenant.config;
    }
    PCW_TRY(const runs::TickResult tick, runs::Tick(connection, planned.plan, tenant.id,
                                                    deps_.machine.rng, deps_.machine.clock, stop));
    for (const std::string& run : tick.runs)
      Log(LogLevel::kInfo, "run asked for", {{"run_id", run}});
    return tick.next_in.value_or(kLongestSleep);
  }

  void Prune(pg::Connection& connection, std::stop_token stop) {
    if (deps_.machine.clock.Steady() < next_prune_) return;
    next_prune_ = deps_.machine.clock.Steady() + kBetweenPrunes;
    const Status pruned = jobs::PruneJobs(connection, stop);
    if (!pruned) session_.Failed("removing old jobs", pruned.error());
  }

  ServeDeps& deps_;
  RoleSession session_;
  std::map<std::string, Planned> plans_;
  SteadyTime next_prune_{};
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace

Result<std::unique_ptr<ServeRole>> StartScheduler(ServeDeps& deps, std::stop_token stop) {
  return std::unique_ptr<ServeRole>(std::make_unique<SchedulerRole>(deps, std::move(stop)));
}

}  // namespace pcw::serve
