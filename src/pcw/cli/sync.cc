// pcw sync run, pcw sync refetch
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/assert.h"
#include "pcw/base/time.h"
#include "pcw/cli/cli.h"
#include "pcw/config/log_settings.h"
#include "pcw/connector/entity_def.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/quota_plan.h"
#include "pcw/wiring/replay_handlers.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

struct Wanted {
  std::string connector;
  std::string entity;
  std::string mode = "incremental";
  bool has_mode = false;
  bool has_resume = false;
  std::string resume;
  bool waits_for_quota = false;
  bool accepts_shrink = false;
};

// What is continued keeps its mode unless another is asked for.
Result<connector::RunMode> ModeOf(wiring::SyncCommandDeps& deps, const config::Config& config,
                                  const connector::EntityDef& entity, const Wanted& wanted,
                                  std::stop_token stop) {
  if (!wanted.has_resume || wanted.has_mode) return connector::ParseRunMode(wanted.mode);
  PCW_TRY(pg::Connection connection, deps.database->OpenService(stop));
  std::string mode = wanted.mode;
  if (!wanted.resume.empty()) {
    PCW_TRY(const runs::StoredRun run, runs::LoadRun(connection, wanted.resume, stop));
    mode = run.mode;
  } else {
    PCW_TRY(const std::int64_t connector_id,
            runs::UpsertConnector(connection, *entity.connector, true,
                                  wiring::ConnectorConfigJson(config), stop));
    const Result<runs::StoredRun> run =
        runs::LatestResumableRun(connection, connector_id, entity.name, runs::RunKind::kSync, stop);
    // That there is none is said by the run that is to be resumed.
    if (!run && run.error().code() != ErrorCode::kNotFound) return run.error();
    if (run) mode = run->mode;
  }
  return connector::ParseRunMode(mode);
}

// Runs one entity; with --wait a spent day is waited for and the run continued.
Result<sync::RunOutcome> RunEntity(wiring::SyncCommandDeps& deps, const config::Config& config,
                                   const connector::EntityDef& entity, connector::RunMode mode,
                                   const Wanted& wanted, wiring::Machine& machine,
                                   std::stop_token stop) {
  wiring::SyncArgs args{.mode = mode, .accepts_shrink = wanted.accepts_shrink};
  if (wanted.has_resume) args.resume = wanted.resume;
  for (;;) {
    PCW_TRY(sync::RunOutcome outcome,
            wiring::SyncEntity(deps, config, entity, args, machine, stop));
    const bool is_spent = outcome.error && outcome.error->Is(Reason::kQuotaSpent);
    if (!is_spent || !wanted.waits_for_quota) return outcome;
    const std::int64_t enough = wiring::ResumeWith(outcome.stats.pages);
    std::fprintf(stderr, "pcw: paused: %s; run %s goes on by itself when %s calls are free\n",
                 outcome.error->message().c_str(), outcome.run_id.c_str(),
                 wiring::FormatCount(
                     std::min<std::int64_t>(enough, wiring::LimitsOf(config).bulk_reads_per_day()))
                     .c_str());
    args.resume = outcome.run_id;
    PCW_TRY_OK(wiring::WaitForQuota(deps, config, enough, machine, stop));
  }
}

OrderedJson ToJson(const sync::RunOutcome& outcome, std::string_view entity) {
  OrderedJson json;
  json["run_id"] = outcome.run_id;
  json["entity"] = entity;
  json["status"] = NameOf(outcome.status);
  json["stats"] = OrderedJson::parse(FormatStats(outcome.stats));
  if (outcome.error) json["error"] = outcome.error->ToString();
  return json;
}

void PrintOutcome(const wiring::Invocation& invocation, const sync::RunOutcome& outcome,
                  std::string_view entity) {
  if (invocation.output == wiring::OutputFormat::kTable) {
    std::fputs(wiring::DescribeOutcome(outcome, entity).c_str(), stdout);
  } else {
    PrintObject(invocation.output, ToJson(outcome, entity));
  }
  std::fflush(stdout);
}

Result<int> RunSyncVerb(const wiring::Invocation& invocation, const Wanted& wanted) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const connector::ConnectorDef* connector, wiring::ConnectorNamed(wanted.connector));
  PCW_TRY(const auto entities, wiring::EntitiesNamed(*connector, wanted.entity, loaded.config));
  wiring::Machine machine;
  PCW_TRY(const config::ConfigSources sources, invocation.Sources());
  const config::LogFollower follower(sources, loaded, machine.payloads, machine.clock,
                                     machine.sleeper);
  PCW_TRY(wiring::SyncCommandDeps deps,
          wiring::OpenSyncDeps(loaded.config, invocation.environment,
                               fmt::format("sync {} {}", wanted.entity, wanted.mode), machine,
                               invocation.stop));
  PCW_TRY_OK(deps.lake->CheckRoom(invocation.stop));
  int exit_code = kExitOk;
  for (const connector::EntityDef* entity : entities) {
    PCW_TRY(const connector::RunMode mode,
            ModeOf(deps, loaded.config, *entity, wanted, invocation.stop));
    PCW_TRY(const sync::RunOutcome outcome,
            RunEntity(deps, loaded.config, *entity, mode, wanted, machine, invocation.stop));
    PrintOutcome(invocation, outcome, entity->name);
    wiring::DeliverAfter(loaded.config, invocation, machine, *deps.database);
    if (outcome.error) return AsStopped(*outcome.error);
    if (outcome.status == connector::RunStatus::kPartial) exit_code = kExitDeadLetters;
  }
  return exit_code;
}

struct Refetch {
  std::string connector, entity;
  std::vector<std::string> ids;
  bool accepts_older = false;
};

Result<int> RunRefetchVerb(const wiring::Invocation& invocation, const Refetch& wanted) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const connector::ConnectorDef* connector, wiring::ConnectorNamed(wanted.connector));
  const connector::EntityDef* entity = connector::FindEntity(*connector, wanted.entity);
  PCW_ASSERT(entity != nullptr);  // the option takes only names of entities
  wiring::Machine machine;
  PCW_TRY(const config::ConfigSources sources, invocation.Sources());
  const config::LogFollower follower(sources, loaded, machine.payloads, machine.clock,
                                     machine.sleeper);
  PCW_TRY(wiring::SyncCommandDeps deps,
          wiring::OpenSyncDeps(loaded.config, invocation.environment,
                               fmt::format("sync refetch {}", wanted.entity), machine,
                               invocation.stop));
  PCW_TRY(const sync::RunOutcome outcome,
          wiring::RefetchRecords(deps, loaded.config, *entity, wanted.ids,
                                 wanted.accepts_older ? wiring::OlderVersions::kAccept
                                                      : wiring::OlderVersions::kKeepOut,
                                 machine, invocation.stop));
  PrintOutcome(invocation, outcome, entity->name);
  wiring::DeliverAfter(loaded.config, invocation, machine, *deps.database);
  if (outcome.error) return *outcome.error;
  return outcome.status == connector::RunStatus::kPartial ? kExitDeadLetters : kExitOk;
}

void AddRefetch(CLI::App& noun, wiring::Invocation& invocation) {
  CLI::App* verb = AddVerb(
      noun, "refetch", "Fetch some records again, whatever is held of them",
      "  pcw sync refetch partner-central opportunities O1234567\n"
      "  pcw sync refetch partner-central opportunities O1234567 --accept-older\n\n"
      "A version that AWS dates earlier than the held one never replaces it: a slow answer would\n"
      "undo a newer one. Where the held date was wrong (doctor: PCW2112), --accept-older lets "
      "what\n"
      "AWS has now stand; bronze remembers it, so that a rebuild ends the same.\n\n"
      "Exit codes: as `pcw sync run`; 1 for a record that is not held.");
  auto wanted = std::make_shared<Refetch>();
  AddConnectorPositional(*verb, wanted->connector);
  verb->add_option("entity", wanted->entity, "whose records")
      ->required()
      ->check(KnownValues(connector::EntityNames()));
  verb->add_option("ids", wanted->ids, "AWS's ids of the records")->required();
  verb->add_flag("--accept-older", wanted->accepts_older,
                 "what AWS has now replaces what is held, even by an earlier date");
  AddOutputOption(*verb, invocation);
  verb->callback([&invocation, wanted] {
    invocation.verb = [&invocation, wanted] { return RunRefetchVerb(invocation, *wanted); };
  });
}

}  // namespace

void AddSync(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("sync", "Bring AWS's records into bronze and PostgreSQL")
                       ->require_subcommand(1);
  CLI::App* run =
      AddVerb(*noun, "run", "Sync one entity, or all of a connector",
              "  pcw sync run partner-central opportunities               # what "
              "changed since the last time\n"
              "  pcw sync run partner-central opportunities --mode full   # "
              "everything; only what is not held is fetched\n"
              "  pcw sync run partner-central all -o json\n"
              "  pcw sync run partner-central opportunities --resume      # go on with "
              "the newest failed run\n\n"
              "Exit codes: 0 succeeded, 1 stopped by drift or too many failures, 3 "
              "finished with dead letters or a finding,\n"
              "4 authentication or permission, 5 throttled or daily quota exhausted, 69 "
              "unavailable, 130 interrupted;\n"
              "all but 0 and 3 can be run again.");
  auto wanted = std::make_shared<Wanted>();
  AddConnectorPositional(*run, wanted->connector);
  AddEntitiesPositional(*run, wanted->entity);
  run->add_option("--mode", wanted->mode,
                  "full lists everything; incremental what changed since the watermark")
      ->check(CLI::IsMember({"full", "incremental"}))
      ->capture_default_str();
  run->add_option(
         "--resume", wanted->resume,
         "name the run this one continues, in its mode; the newest failed or cancelled one without "
         "a value")
      ->expected(0, 1);
  run->add_flag("--wait", wanted->waits_for_quota,
                "when the daily quota is exhausted, wait until it frees and go on");
  run->add_flag("--accept-shrink", wanted->accepts_shrink,
                "believe a full listing that is far shorter than the last one (listing_shrank)");
  AddOutputOption(*run, invocation);
  run->callback([&invocation, wanted, run] {
    wanted->has_resume = run->count("--resume") > 0;
    wanted->has_mode = run->count("--mode") > 0;
    invocation.verb = [&invocation, wanted] { return RunSyncVerb(invocation, *wanted); };
  });
  AddRefetch(*noun, invocation);
  AddSyncPlan(*noun, invocation);
}

}  // namespace pcw::cli
