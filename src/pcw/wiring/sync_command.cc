#include "pcw/wiring/sync_command.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/nearest.h"
#include "pcw/base/time.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/config/suggest.h"
#include "pcw/connector/mapping.h"
#include "pcw/wiring/lake_identity.h"
#include "pcw/wiring/progress_display.h"

namespace pcw::wiring {
namespace {

constexpr std::chrono::seconds kBetweenQuotaLooks{2};

// Of the rolling day, for syncs; -1 = unknown or unlimited.
std::int64_t BulkCallsLeft(SyncCommandDeps& deps, const config::Config& config,
                           std::stop_token stop) {
  if (config.quota.reads_per_second == 0) return -1;
  // Only for the display: a run does not end because a number cannot be shown.
  Result<pg::Connection> connection = deps.database->OpenService(stop);
  if (!connection) return -1;
  const auto statuses = quota::ShowQuota(
      *connection, {.aws_account_id = deps.aws->account_id, .limits = LimitsOf(config)}, stop);
  if (!statuses) return -1;
  for (const quota::QuotaStatus& status : *statuses) {
    if (status.quota_class == "read")
      return std::max<std::int64_t>(0, status.bulk_per_day - status.used_24h);
  }
  return -1;
}

}  // namespace

sync::SyncOptions SyncOptionsFor(const config::Config& config, const SyncArgs& args) {
  const auto& connector = config.partner_central;
  sync::SyncOptions options;
  options.tenant_id = config.tenant_id;
  options.connector_config_json = ConnectorConfigJson(config);
  options.catalog = connector.catalog;
  options.mode = args.mode;
  options.resume_run = args.resume;
  options.accepts_shrink = args.accepts_shrink;
  options.page_size = connector.batch_size;
  options.fetch = {.catalog = connector.catalog,
                   .max_in_flight = connector.max_in_flight,
                   .reads_per_second = config.quota.reads_per_second,
                   .min_interval = connector.min_interval};
  options.lag = config.sync.lag;
  options.overlap = config.sync.overlap;
  options.part_records = config.sync.part_records;
  options.part_bytes = config.sync.part_bytes;
  options.part_age = config.sync.part_age;
  options.stop_at_mismatch_percent = config.sync.stop_at_mismatch_percent;
  options.stop_at_fetch_failure_percent = config.sync.stop_at_fetch_failure_percent;
  options.stop_window = config.sync.stop_window;
  options.shrank_below_percent = config.sync.shrank_below_percent;
  return options;
}

std::string ConnectorConfigJson(const config::Config& config) {
  const auto& connector = config.partner_central;
  OrderedJson json;
  json["catalog"] = connector.catalog;
  json["schedule"] = connector.schedule;
  json["incremental_every_ms"] = connector.incremental_every.count();
  json["entities"] = connector.entities;
  json["batch_size"] = connector.batch_size;
  return DumpJson(json);
}

Result<SyncCommandDeps> OpenSyncDeps(const config::Config& config,
                                     const std::map<std::string, std::string>& environment,
                                     const std::string& task, Machine& machine,
                                     std::stop_token stop) {
  SyncCommandDeps deps;
  // Before the lake makes its directories below it, as open as the umask lets them be.
  if (config.lake.url.empty()) PCW_TRY_OK(config::MakeHome(config::HomeDirectory(environment)));
  PCW_TRY(deps.lake, OpenLake(config, environment, machine));
  PCW_TRY(deps.database, DatabaseAccess::Open(config, config::HomeDirectory(environment), stop));
  // A session before anything is asked of Partner Central: a missing schema or right must not cost
  // calls, nor must a lake that is not there.
  PCW_TRY(pg::Connection connection, deps.database->OpenService(stop));
  PCW_TRY_OK(deps.lake->Probe(stop));
  PCW_TRY_OK(ConfirmLake(connection, config, environment, OtherLake::kRefuse, machine, stop));
  PCW_TRY(deps.aws,
          OpenAws(config, environment, *deps.database, quota::Purpose::kBulk, task, machine, stop));
  return deps;
}

Status WaitForQuota(SyncCommandDeps& deps, const config::Config& config, std::int64_t calls,
                    Machine& machine, std::stop_token stop) {
  const std::int64_t wanted = std::min<std::int64_t>(calls, LimitsOf(config).bulk_reads_per_day());
  while (BulkCallsLeft(deps, config, stop) < wanted) {
    if (!machine.sleeper.SleepFor(kBetweenQuotaLooks, stop))
      return Error(ErrorCode::kCancelled, "stopped while waiting for the quota");
  }
  return Ok{};
}

namespace {

Result<sync::RunOutcome> RunWith(SyncCommandDeps& deps, const config::Config& config,
                                 const connector::EntityDef& entity, sync::SyncOptions options,
                                 Machine& machine, std::stop_token stop) {
  PCW_TRY(const connector::Mapping mapping, config::MappingFor(config, entity.name));
  ProgressDisplay display(
      {.entity = std::string(entity.name), .calls_left = BulkCallsLeft(deps, config, stop)},
      machine.clock);
  const auto recorder = MakeChangeRecorder(config, entity.name);
  options.changes = recorder.get();
  DatabaseAccess& database = *deps.database;
  Result<sync::RunOutcome> outcome = sync::RunSync(
      entity, mapping, options,
      {.open = [&database](std::stop_token token) { return database.OpenService(token); },
       .lease_connect = database.ServiceConnect(),
       .caller = deps.aws->CallerOf(entity),
       .store = *deps.lake,
       .clock = machine.clock,
       .sleeper = machine.sleeper,
       .rng = machine.rng,
       .on_progress = [&display](const runs::Progress& progress) { display.Show(progress); }},
      stop);
  display.Finish();
  return outcome;
}

// A mistyped id would end as a dead letter.
Status CheckHeld(SyncCommandDeps& deps, const config::Config& config,
                 const connector::EntityDef& entity, const std::vector<std::string>& ids,
                 std::stop_token stop) {
  PCW_TRY(pg::Connection connection, deps.database->OpenService(stop));
  for (const std::string& id : ids) {
    PCW_TRY(const pg::Rows rows,
            connection.Exec(
                {"refetch_held", fmt::format("SELECT 1 FROM {} WHERE tenant_id = pcw_tenant() AND "
                                             "catalog = $1 AND {} = $2",
                                             entity.table, entity.id_column)},
                {config.partner_central.catalog, id}, stop));
    if (!rows.empty()) continue;
    return Error(
        ErrorCode::kNotFound,
        fmt::format("{} holds no {} in catalog {}; a new record is fetched by `pcw sync run "
                    "partner-central {}`",
                    entity.table, id, config.partner_central.catalog, entity.name));
  }
  return Ok{};
}

}  // namespace

Result<sync::RunOutcome> SyncEntity(SyncCommandDeps& deps, const config::Config& config,
                                    const connector::EntityDef& entity, const SyncArgs& args,
                                    Machine& machine, std::stop_token stop) {
  return RunWith(deps, config, entity, SyncOptionsFor(config, args), machine, stop);
}

Result<sync::RunOutcome> RefetchRecords(SyncCommandDeps& deps, const config::Config& config,
                                        const connector::EntityDef& entity,
                                        const std::vector<std::string>& ids, OlderVersions older,
                                        Machine& machine, std::stop_token stop) {
  PCW_TRY_OK(CheckHeld(deps, config, entity, ids, stop));
  sync::SyncOptions options = SyncOptionsFor(config, {.mode = connector::RunMode::kFetch});
  options.refetch = ids;
  options.accepts_older = older == OlderVersions::kAccept;
  return RunWith(deps, config, entity, std::move(options), machine, stop);
}

Result<const connector::ConnectorDef*> ConnectorNamed(const std::string& name) {
  const connector::ConnectorDef* connector = connector::FindConnector(name);
  if (connector != nullptr) return connector;
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a connector; this version has partner-central", name))
      .As(ErrorMark::kUsage);
}

bool IsConfigured(const connector::EntityDef& entity, const config::Config& config) {
  const auto& configured = config.partner_central.entities;
  return std::find(configured.begin(), configured.end(), entity.name) != configured.end();
}

Result<std::vector<const connector::EntityDef*>> EntitiesNamed(
    const connector::ConnectorDef& connector, const std::string& name,
    const config::Config& config) {
  if (name != "all") {
    const connector::EntityDef* entity = connector::FindEntity(connector, name);
    if (entity != nullptr) return std::vector{entity};
    std::vector<std::string> known{"all"};
    for (const connector::EntityDef* def : connector::AllEntities()) known.emplace_back(def->name);
    const auto nearest = NearestName(name, known);
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not an entity of {}; this version has {}{}", name,
                             connector.url_name, fmt::join(known, ", "),
                             nearest ? fmt::format(" (did you mean {}?)", *nearest) : ""))
        .As(ErrorMark::kUsage);
  }
  std::vector<const connector::EntityDef*> entities;
  for (const connector::EntityDef* def : connector::AllEntities()) {
    if (def->connector == &connector && IsConfigured(*def, config)) entities.push_back(def);
  }
  return entities;
}

std::string DescribeOutcome(const sync::RunOutcome& outcome, std::string_view entity) {
  const runs::RunStats& stats = outcome.stats;
  const double seconds = std::max(0.001, static_cast<double>(stats.elapsed_ms) / 1000);
  std::string text = fmt::format(
      "{} {}: {} listed, {} held already, {} fetched ({} new, {} changed, {} unchanged), {} dead "
      "letters; {} calls, {} throttled, {} ({:.1f} records/s); run {}\n",
      entity, NameOf(outcome.status), FormatCount(stats.records_listed),
      FormatCount(stats.records_skipped), FormatCount(stats.records_processed),
      FormatCount(stats.rows_inserted), FormatCount(stats.rows_updated),
      FormatCount(stats.rows_unchanged), FormatCount(stats.dead_lettered),
      FormatCount(stats.api_calls), FormatCount(stats.throttles),
      FormatDuration(std::chrono::milliseconds(stats.elapsed_ms)),
      static_cast<double>(stats.records_listed) / seconds, outcome.run_id);
  if (stats.records_absent > 0) {
    text += fmt::format("  AWS has no record for {} of them, which is not a failure\n",
                        FormatCount(stats.records_absent));
  }
  if (stats.records_missing > 0) {
    text += fmt::format("  {} records are gone at AWS: marked missing_since, nothing deleted\n",
                        FormatCount(stats.records_missing));
  }
  if (!stats.finding.empty()) text += fmt::format("  look at this: {}\n", stats.finding);
  if (stats.dead_lettered > 0) text += config::Suggested("  see: pcw dlq list\n");
  if (outcome.error && stats.is_resumable) {
    text += config::Suggested(fmt::format(
        "  go on with: pcw sync run partner-central {} --resume   (what is stored is not fetched "
        "again)\n",
        entity));
  }
  return text;
}

}  // namespace pcw::wiring
