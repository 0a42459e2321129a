// The role ingest: workers that claim jobs of every tenant and run them.
#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "pcw/base/log.h"
#include "pcw/jobs/job_keeper.h"
#include "pcw/jobs/job_queue.h"
#include "pcw/pg/session.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/runs/run_request.h"
#include "pcw/runs/run_settle.h"
#include "pcw/serve/serve.h"
#include "pcw/tables/entity_columns.h"
#include "pcw/wiring/lake_identity.h"
#include "pcw/wiring/sync_command.h"

namespace pcw::serve {
namespace {

using jobs::StopCause;
using std::chrono::milliseconds;

constexpr milliseconds kLongestWait{5'000};
constexpr milliseconds kShortestWait{50};
constexpr std::chrono::seconds kSettlePatience{5};  // once the process is to end

std::string ReasonOf(StopCause cause) {
  switch (cause) {
    case StopCause::kDrained:
      return std::string(NameOf(Reason::kDrained));
    case StopCause::kStalled:
      return "stalled";
    case StopCause::kLost:
      return "taken_over";
    case StopCause::kCancelled:
    case StopCause::kNone:
      break;
  }
  return "";
}

// Runs of mode fetch are the service's own: nobody asks for one by name.
Result<connector::RunMode> ModeOf(const jobs::Job& job) {
  if (job.mode == NameOf(connector::RunMode::kFetch)) return connector::RunMode::kFetch;
  return connector::ParseRunMode(job.mode);
}

/// One worker: a thread, a session, a job at a time.
class Worker {
 public:
  Worker(ServeDeps& deps, jobs::ClaimPace& pace, std::stop_token stop)
      : deps_(deps), pace_(pace), session_(deps, "ingest"), number_(deps.workers.Add()) {
    thread_ = std::jthread([this, stop = std::move(stop)] { Work(stop); });
  }

 private:
  void Work(const std::stop_token& stop) {
    const LogScope scope(LogFields{{"role", "ingest"}});
    while (!stop.stop_requested()) {
      pg::Connection* connection = session_.Get(stop);
      if (connection == nullptr) continue;
      const Status done = ClaimAndRun(*connection, stop);
      if (done) {
        session_.Worked();
        Sign(WorkerPhase::kClaiming);
      } else {
        session_.Failed("claiming work", done.error());
      }
    }
  }

  void Sign(WorkerPhase phase) { deps_.workers.Sign(number_, phase); }

  Status ClaimAndRun(pg::Connection& connection, const std::stop_token& stop) {
    if (session_.TakeIsNew())
      PCW_TRY_OK(connection.ExecScript("jobs_listen", "LISTEN pcw_jobs", stop));
    PCW_TRY(std::optional<jobs::Job> job,
            jobs::ClaimJob(connection, deps_.holder, Terms(), pace_.Next(), {}));
    if (!job) {
      PCW_TRY(const auto next, jobs::NextClaimIn(connection, stop));
      // Jobs of silent holders are found by thorough looks only.
      const milliseconds wait =
          std::clamp(std::min(next.value_or(kLongestWait), pace_.UntilThorough()), kShortestWait,
                     kLongestWait);
      PCW_TRY_OK(connection.WaitNotification(wait, stop));
      return Ok{};
    }
    // From here on a stop must not leave the job to its lease: it is put back.
    PCW_TRY_OK(pg::ChangeTenant(connection, job->tenant_id));
    std::shared_ptr<const config::Config> config = deps_.tenants.ConfigOf(job->tenant_id);
    const LogScope scope({{"tenant", config ? config->tenant_name : job->tenant_id},
                          {"connector", "partner_central"},
                          {"entity", job->entity}});
    if (!config) {
      // Made a moment ago, or its configuration has a mistake: it is put back and comes again.
      PCW_TRY_OK(runs::SettleJob(
          connection, *job,
          Error(ErrorCode::kUnavailable, "the tenant's configuration is not loaded"),
          deps_.machine.rng, {}));
      return Ok{};
    }
    const Result<std::optional<std::string>> run_id =
        runs::PrepareJob(connection, *job, deps_.machine.rng, {});
    if (!run_id) {
      if (runs::MayStoreLater(run_id.error())) return run_id.error();
      // It would fail the same way each time somebody takes it over.
      LogError("a job could not be begun", run_id.error());
      Settle(*job, run_id.error(), stop);
      return Ok{};
    }
    if (!*run_id) return Ok{};
    const LogScope run_scope(LogFields{{"run_id", **run_id}});
    if (job->is_takeover)
      Log(LogLevel::kWarn, "taking over a job whose worker fell silent", {{"job", job->id}});
    RunJob(*config, *job, stop);
    return Ok{};
  }

  jobs::ClaimTerms Terms() const {
    return {.lease = deps_.config.service.lease, .stall_after = deps_.config.service.stall_after};
  }

  void RunJob(const config::Config& config, const jobs::Job& job, const std::stop_token& stop) {
    wiring::DatabaseAccess& database = deps_.database;
    jobs::JobKeeper keeper(
        [&database, tenant = job.tenant_id](std::stop_token token) {
          return database.OpenService(tenant, std::move(token));
        },
        job, Terms(), deps_.machine.sleeper, stop);
    Sign(WorkerPhase::kRunning);
    Log(LogLevel::kInfo, "run begins",
        {{"mode", job.mode}, {"trigger", job.trigger}, {"attempt", std::to_string(job.attempts)}});
    const Result<sync::RunOutcome> outcome = Sync(config, job, keeper);
    std::optional<Error> error;
    if (!outcome) {
      error = outcome.error();
    } else {
      error = outcome->error;
      Log(LogLevel::kInfo, "run ended",
          {{"status", std::string(NameOf(outcome->status))},
           {"listed", std::to_string(outcome->stats.records_listed)},
           {"processed", std::to_string(outcome->stats.records_processed)},
           {"dead_lettered", std::to_string(outcome->stats.dead_lettered)},
           {"api_calls", std::to_string(outcome->stats.api_calls)},
           {"throttles", std::to_string(outcome->stats.throttles)}});
    }
    const bool was_stopped = keeper.cause() != StopCause::kNone;
    if (error && error->Is(Reason::kOlderMapping)) {
      Log(LogLevel::kWarn, "left to a worker with the newer mapping",
          {{"error", error->message()}});
    } else if (error && !was_stopped) {
      LogError("the run could not be finished", *error);
    }
    Settle(job, error, stop);
  }

  Result<sync::RunOutcome> Sync(const config::Config& config, const jobs::Job& job,
                                jobs::JobKeeper& keeper) {
    const std::stop_token stop = keeper.stop();
    const connector::EntityDef* entity =
        connector::FindEntity(connector::PartnerCentral(), job.entity);
    if (entity == nullptr) {
      return Error(ErrorCode::kConfig,
                   fmt::format("this version does not know the entity {}", job.entity));
    }
    const auto& environment = deps_.invocation.environment;
    PCW_TRY(const connector::RunMode mode, ModeOf(job));
    PCW_TRY(const auto mapping, deps_.machine.mappings.InForce(
                                    config, entity->name, [&](const connector::Mapping& candidate) {
                                      return MakeRoomFor(*entity, candidate, job.tenant_id, stop);
                                    }));
    PCW_TRY(const auto lake, wiring::OpenLake(config, environment, deps_.machine));
    PCW_TRY_OK(lake->Probe(stop));
    PCW_TRY(pg::Connection connection, deps_.database.OpenService(job.tenant_id, stop));
    PCW_TRY_OK(wiring::ConfirmLake(connection, config, environment, wiring::OtherLake::kRefuse,
                                   deps_.machine, stop));
    PCW_TRY_OK(lake->CheckRoom(stop));
    PCW_TRY(const auto aws,
            wiring::OpenAws(config, environment, deps_.database, quota::Purpose::kBulk,
                            fmt::format("sync {} {}", job.entity, job.mode), deps_.machine, stop));
    sync::SyncOptions options = wiring::SyncOptionsFor(config, {.mode = mode});
    options.queued_run = job.run_id;
    const auto recorder = wiring::MakeChangeRecorder(config, job.entity);
    options.changes = recorder.get();
    options.lease = deps_.config.service.lease;
    wiring::DatabaseAccess& database = deps_.database;
    std::int64_t last = 0;
    std::int64_t told = 0;
    const auto tell_throttles = [&](std::int64_t throttles) {
      deps_.throttles += throttles - std::exchange(told, throttles);
    };
    Result<sync::RunOutcome> outcome = sync::RunSync(
        *entity, *mapping, options,
        {.open = [&database, &job](
                     std::stop_token token) { return database.OpenService(job.tenant_id, token); },
         .lease_connect = database.ServiceConnect(),
         .caller = aws->CallerOf(*entity),
         .store = *lake,
         .clock = deps_.machine.clock,
         .sleeper = deps_.machine.sleeper,
         .rng = deps_.machine.rng,
         .on_progress =
             [&](const runs::Progress& progress) {
               const std::int64_t done = progress.api_calls + progress.settled + progress.fetched;
               if (std::exchange(last, done) != done) Sign(WorkerPhase::kRunning);
               keeper.Report(done);
               tell_throttles(progress.throttles);
             },
         .stop_reason = [&keeper] { return ReasonOf(keeper.cause()); }},
        stop);
    if (outcome) tell_throttles(outcome->stats.throttles);
    return outcome;
  }

  // Whether the table can take the rows of a mapping that is about to come into force. An embedded
  // database has no other administrator than this process.
  Status MakeRoomFor(const connector::EntityDef& entity, const connector::Mapping& mapping,
                     const std::string& tenant_id, const std::stop_token& stop) {
    wiring::DatabaseAccess& database = deps_.database;
    if (database.is_embedded()) {
      PCW_TRY(pg::Connection admin, database.OpenAdmin(stop));
      PCW_TRY_OK(tables::AddColumns(admin, entity, mapping, stop));
      return Ok{};
    }
    PCW_TRY(pg::Connection connection, database.OpenService(tenant_id, stop));
    PCW_TRY(const tables::ColumnCheck columns,
            tables::CheckColumns(connection, entity, mapping, stop));
    if (!columns.conflicts.empty()) {
      return Error(ErrorCode::kConfig, fmt::format("{}: a column of the table has another type: {}",
                                                   entity.table, columns.conflicts.front()));
    }
    if (columns.missing.empty()) return Ok{};
    return Error(ErrorCode::kConfig,
                 fmt::format("{} lacks the column {} of the mapping; add it: pcw db migrate",
                             entity.table, columns.missing.front().column));
  }

  // Until it is written down or somebody else has the job; a process that ends gives up soon, and
  // the lease does the rest. What the database refuses for what it says is said in plain words,
  // once, and then the job is given up: the worker has other work.
  void Settle(const jobs::Job& job, std::optional<Error> error, const std::stop_token& stop) {
    Sign(WorkerPhase::kSettling);
    std::optional<SteadyTime> give_up;
    for (int refusals = 0;;) {
      if (stop.stop_requested() && !give_up)
        give_up = deps_.machine.clock.Steady() + kSettlePatience;
      if (give_up && deps_.machine.clock.Steady() >= *give_up) return;
      pg::Connection* connection = session_.Get({});
      if (connection == nullptr) continue;
      const Status settled =
          refusals < 2 ? TrySettle(*connection, job, error) : TryAbandon(*connection, job);
      if (settled) return;
      // Ours no longer: taken over, or settled by an attempt whose answer was lost.
      if (settled.error().code() == ErrorCode::kConflict) return;
      session_.Failed("settling a job", settled.error());
      if (runs::MayStoreLater(settled.error())) continue;
      if (++refusals > 2) {
        LogError("not even the job could be ended; it is taken over when its lease ends",
                 settled.error());
        return;
      }
      LogError(refusals == 1 ? "the end of a run could not be stored; it is said in plain words"
                             : "the end of a run cannot be stored; its job is given up",
               settled.error());
      error =
          Error(error ? error->code() : ErrorCode::kInternal,
                fmt::format("what ended the run could not be stored (SQLSTATE {}); the log of "
                            "{} has it",
                            settled.error().Find("sqlstate").value_or("unknown"), deps_.holder));
    }
  }

  Status TrySettle(pg::Connection& connection, const jobs::Job& job,
                   const std::optional<Error>& error) {
    PCW_TRY_OK(pg::ChangeTenant(connection, job.tenant_id));
    PCW_TRY(const runs::JobOutcome settled,
            runs::SettleJob(connection, job, error, deps_.machine.rng, {}));
    if (settled == runs::JobOutcome::kPutBack)
      Log(LogLevel::kInfo, "the job was put back; a later run goes on with it");
    return Ok{};
  }

  static Status TryAbandon(pg::Connection& connection, const jobs::Job& job) {
    PCW_TRY_OK(pg::ChangeTenant(connection, job.tenant_id));
    return runs::AbandonJob(connection, job, {});
  }

  ServeDeps& deps_;
  jobs::ClaimPace& pace_;
  RoleSession session_;
  const std::size_t number_;  ///< among the workers of this process
  std::jthread thread_;       // last: it uses everything above
};

class IngestRole final : public ServeRole {
 public:
  IngestRole(ServeDeps& deps, const std::stop_token& stop) : pace_(deps.machine.clock) {
    for (int i = 0; i < deps.config.service.workers; ++i)
      workers_.push_back(std::make_unique<Worker>(deps, pace_, stop));
  }

 private:
  jobs::ClaimPace pace_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

Result<std::unique_ptr<ServeRole>> StartIngest(ServeDeps& deps, std::stop_token stop) {
  return std::unique_ptr<ServeRole>(std::make_unique<IngestRole>(deps, stop));
}

}  // namespace pcw::serve
