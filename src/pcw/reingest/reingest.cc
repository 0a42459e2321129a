#include "pcw/reingest/reingest.h"

#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/log.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/base/uuid.h"
#include "pcw/jobs/lease.h"
#include "pcw/reingest/pass.h"
#include "pcw/reingest/rebuild.h"
#include "pcw/runs/database_clock.h"

namespace pcw::reingest {
namespace {

/// Where a re-ingest goes on.
struct Resumption {
  ReingestSelection selection;
  std::string after_key;
};

Result<Resumption> LoadResumption(pg::Connection& connection, const connector::EntityDef& def,
                                  const connector::Mapping& mapping, std::int64_t connector_id,
                                  const ReingestOptions& options, runs::NewRun& row,
                                  std::stop_token stop) {
  PCW_TRY(const runs::StoredRun earlier,
          options.resume_run->empty() ? runs::LatestResumableRun(connection, connector_id, def.name,
                                                                 runs::RunKind::kReingest, stop)
                                      : runs::LoadRun(connection, *options.resume_run, stop));
  if (earlier.entity != def.name || earlier.mode != NameOf(connector::RunMode::kReingest)) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("run {} is not a re-ingest of {}", earlier.id, def.name));
  }
  PCW_TRY(const Json stats, ParseJson(earlier.stats_json));
  if (stats.value("mapping_version", mapping.version) != mapping.version) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("run {} used mapping version {}, this one is {}: start without "
                             "--resume, rows of another version are rewritten",
                             earlier.id, stats.value("mapping_version", 0), mapping.version));
  }
  if (stats.value("rebuild", false)) {
    return Error(
        ErrorCode::kInvalidRequest,
        fmt::format("run {} was a rebuild, which starts over; the table is untouched", earlier.id));
  }
  row.resumed_from = earlier.id;
  Resumption resumption;
  PCW_TRY(resumption.selection, ParseSelection(stats.value("selection", Json::object())));
  resumption.after_key = stats.value("completed_key", "");
  return resumption;
}

}  // namespace

std::string FormatStats(const ReingestOutcome& outcome, const ReingestOptions& options) {
  OrderedJson json = OrderedJson::parse(FormatStats(outcome.stats));
  json["objects"] = outcome.objects;
  json["objects_rejected"] = outcome.objects_rejected;
  if (!outcome.rejected.empty()) {
    json["rejected"] = OrderedJson::array();
    for (const RejectedObject& object : outcome.rejected)
      json["rejected"].push_back({{"key", object.key}, {"reason", object.reason}});
  }
  if (options.replay) json["letters"] = options.replay->record_keys.size();
  json["selection"] = ToJson(options.selection);
  if (!options.mapping_file.empty()) json["mapping_file"] = options.mapping_file;
  json["mapping_version"] = options.mapping_version;
  if (options.is_rebuild) json["rebuild"] = true;
  if (!outcome.completed_key.empty()) json["completed_key"] = outcome.completed_key;
  return StorableJson(DumpJson(json));
}

Result<ReingestOutcome> RunReingest(const connector::EntityDef& def,
                                    const connector::Mapping& mapping,
                                    const ReingestOptions& wanted, ReingestDeps deps,
                                    std::stop_token stop) {
  ReingestOptions options = wanted;
  options.mapping_version = mapping.version;
  if (options.is_rebuild && (!options.selection.is_all() || options.is_dry_run)) {
    return Error(ErrorCode::kInvalidRequest,
                 "--rebuild makes the whole table anew: it takes no selection and no --dry-run")
        .As(ErrorMark::kUsage);
  }
  PCW_TRY(const tables::BulkTable table,
          tables::BulkTable::Create(def, mapping,
                                    options.is_rebuild ? ShadowOf(def) : std::string(def.table)));
  PCW_TRY(const tables::BulkTable live,
          tables::BulkTable::Create(def, mapping, std::string(def.table)));
  pg::Database database(deps.open, deps.sleeper, deps.clock);
  std::int64_t connector_id = 0;
  PCW_TRY(const runs::DatabaseClock clock,
          database.Run<runs::DatabaseClock>(
              stop, [&](pg::Connection& connection) -> Result<runs::DatabaseClock> {
                PCW_TRY_OK(live.CheckColumns(connection, stop));
                PCW_TRY(connector_id, runs::UpsertConnector(connection, *def.connector, true,
                                                            options.connector_config_json, stop));
                return runs::DatabaseClock::Read(connection, deps.clock, stop);
              }));
  ReingestPass pass{.def = def,
                    .mapping = mapping,
                    .table = table,
                    .options = options,
                    .deps = deps,
                    .database = database,
                    .lease = nullptr,
                    .run_id = "",
                    .connector_id = connector_id};
  if (options.is_dry_run) return RunPass(pass, options.selection, "", stop);

  const std::string run_id =
      options.replay ? options.replay->run_id : MakeUuidV7(clock.Now(), deps.rng);
  const LogScope scope({{"run_id", run_id},
                        {"tenant", options.tenant_id},
                        {"connector", std::string(def.connector->kind)},
                        {"entity", std::string(def.name)}});
  PCW_TRY(const std::unique_ptr<jobs::Lease> lease,
          jobs::Lease::Acquire(deps.lease_connect,
                               {.tenant_id = options.tenant_id,
                                .connector_id = connector_id,
                                .entity = std::string(def.name)},
                               run_id, {}, deps.clock, deps.sleeper, stop));
  std::stop_source either;
  const std::stop_callback on_stop(stop, [&either] { either.request_stop(); });
  const std::stop_callback on_lost(lease->lost(), [&either] { either.request_stop(); });

  runs::NewRun row{
      .id = run_id,
      .connector_id = connector_id,
      .entity = std::string(def.name),
      .mode = options.replay ? connector::RunMode::kReplay : connector::RunMode::kReingest,
      .catalog = options.catalog,
      .started_at = clock.Now(),
      .fence = lease->fence(),
      .bronze_prefix = "",
      .resumed_from = std::nullopt};
  PCW_TRY(
      const Resumption resumption,
      database.Run<Resumption>(stop, [&](pg::Connection& connection) -> Result<Resumption> {
        // First what was left open: a killed re-ingest is resumable only once it has ended.
        PCW_TRY_OK(runs::AbandonOlderRuns(connection, connector_id, def.name, row.fence, stop));
        Resumption from{options.selection, ""};
        if (options.resume_run) {
          PCW_TRY(from, LoadResumption(connection, def, mapping, connector_id, options, row, stop));
        }
        if (options.mapping_file.empty()) {
          PCW_TRY_OK(runs::TakeMappingVersion(connection, connector_id, def.name, mapping.version,
                                              run_id, options.older_mapping, stop));
        }
        PCW_TRY_OK(runs::InsertRun(connection, row, stop));
        return from;
      }));
  PCW_FAILPOINT("reingest.start.after");
  options.selection = resumption.selection;
  pass.lease = lease.get();
  pass.run_id = run_id;
  return RunPass(pass, resumption.selection, resumption.after_key, either.get_token());
}

}  // namespace pcw::reingest
