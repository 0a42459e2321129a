// pcw bronze reingest
#include <cstdio>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/file.h"
#include "pcw/base/time.h"
#include "pcw/cli/cli.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/config/suggest.h"
#include "pcw/connector/entity_def.h"
#include "pcw/reingest/reingest.h"
#include "pcw/wiring/lake_identity.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/sync_command.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

constexpr int kExitChanges = 2;
constexpr int kMostConnections = 4;

struct ReingestArgs {
  std::string entity, since, until, mapping, resume;
  reingest::ReingestSelection selection;
  int connections = 0;  ///< 0 = one a core
  bool is_dry_run = false, is_rebuild = false, has_resume = false, has_expect = false;
  bool adopts_older_mapping = false;
  bool has_detailed_exit_code = false;
  std::int64_t expect = 0;
};

// The document that --mapping names, else the one in force.
Result<connector::Mapping> LoadMapping(const config::Config& config,
                                       const connector::EntityDef& entity,
                                       const std::string& file) {
  PCW_TRY(connector::Mapping in_force, config::MappingFor(config, entity.name));
  if (file.empty()) return in_force;
  PCW_TRY(connector::Mapping mapping, config::LoadMappingFile(file));
  if (mapping.entity != entity.name) {
    return wiring::UsageError(fmt::format("{} maps {}, not {}", file, mapping.entity, entity.name));
  }
  if (mapping.version == in_force.version) {
    return wiring::UsageError(
        fmt::format("{} has version {}, which is that of the mapping in force: rows of that "
                    "version count as done; raise it",
                    file, mapping.version));
  }
  return mapping;
}

// Examples of columns that say something of people or companies are not shown.
OrderedJson ToJson(const tables::ColumnChange& change, const connector::Mapping& mapping) {
  bool is_masked = false;
  for (const connector::ColumnMapping& column : mapping.columns) {
    if (column.column == change.column) is_masked = column.pii != connector::Pii::kNone;
  }
  OrderedJson json{
      {"column", change.column}, {"rows", change.rows}, {"examples", OrderedJson::array()}};
  const auto shown = [&](const std::string& value) {
    return is_masked && value != "NULL" ? std::string("***") : value;
  };
  for (const auto& example : change.examples) {
    json["examples"].push_back(
        {{"id", example.id}, {"before", shown(example.before)}, {"after", shown(example.after)}});
  }
  return json;
}

OrderedJson ToJson(const reingest::ReingestOutcome& outcome,
                   const reingest::ReingestOptions& options, const connector::EntityDef& entity,
                   const connector::Mapping& mapping) {
  OrderedJson json;
  if (!outcome.run_id.empty()) json["run_id"] = outcome.run_id;
  json["entity"] = entity.name;
  json["status"] = NameOf(outcome.status);
  json["dry_run"] = options.is_dry_run;
  json["stats"] = OrderedJson::parse(FormatStats(outcome, options));
  if (options.is_dry_run) {
    json["rows_older"] = outcome.rows_older;
    json["columns"] = OrderedJson::array();
    for (const tables::ColumnChange& change : outcome.columns) {
      if (change.rows > 0) json["columns"].push_back(ToJson(change, mapping));
    }
  }
  if (outcome.error) json["error"] = outcome.error->ToString();
  return json;
}

void PrintDryRun(const reingest::ReingestOutcome& outcome, const connector::Mapping& mapping) {
  std::printf("dry run: %s new, %s changed, %s unchanged (%s of them older than what is held)\n",
              wiring::FormatCount(outcome.stats.rows_inserted).c_str(),
              wiring::FormatCount(outcome.stats.rows_updated).c_str(),
              wiring::FormatCount(outcome.stats.rows_unchanged).c_str(),
              wiring::FormatCount(outcome.rows_older).c_str());
  for (const tables::ColumnChange& change : outcome.columns) {
    if (change.rows == 0) continue;
    std::printf("  %s: %s rows\n", change.column.c_str(), wiring::FormatCount(change.rows).c_str());
    const OrderedJson shown = ToJson(change, mapping);
    for (const OrderedJson& example : shown["examples"]) {
      std::printf("    %s: %s -> %s\n", ForTerminal(example["id"].get<std::string>()).c_str(),
                  ForTerminal(example["before"].get<std::string>()).c_str(),
                  ForTerminal(example["after"].get<std::string>()).c_str());
    }
  }
}

void PrintReingest(const wiring::Invocation& invocation, const reingest::ReingestOutcome& outcome,
                   const reingest::ReingestOptions& options, const connector::EntityDef& entity,
                   const connector::Mapping& mapping) {
  for (const reingest::RejectedObject& object : outcome.rejected) {
    std::fprintf(stderr, "pcw: rejected %s: %s\n", ForTerminal(object.key).c_str(),
                 ForTerminal(object.reason).c_str());
  }
  if (invocation.output != wiring::OutputFormat::kTable) {
    PrintObject(invocation.output, ToJson(outcome, options, entity, mapping));
    return;
  }
  const runs::RunStats& stats = outcome.stats;
  if (options.is_dry_run) PrintDryRun(outcome, mapping);
  std::printf(
      "%s  %s  %s records of %s objects in %s: %s new, %s updated, %s unchanged, %s dead "
      "letters, %s objects rejected\n",
      std::string(entity.name).c_str(), std::string(NameOf(outcome.status)).c_str(),
      wiring::FormatCount(stats.records_listed).c_str(),
      wiring::FormatCount(outcome.objects).c_str(),
      FormatDuration(std::chrono::milliseconds(stats.elapsed_ms)).c_str(),
      wiring::FormatCount(stats.rows_inserted).c_str(),
      wiring::FormatCount(stats.rows_updated).c_str(),
      wiring::FormatCount(stats.rows_unchanged).c_str(),
      wiring::FormatCount(stats.dead_lettered).c_str(),
      wiring::FormatCount(outcome.objects_rejected).c_str());
  if (outcome.error && stats.is_resumable && !options.is_dry_run) {
    std::printf("go on with: %s\n",
                config::Suggested(fmt::format("pcw bronze reingest --entity {} --resume {}",
                                              entity.name, outcome.run_id))
                    .c_str());
  }
}

Result<pg::Connection> OpenOwner(wiring::DatabaseAccess& database, std::stop_token stop) {
  PCW_TRY(pg::Connection owner, database.OpenAdmin(stop));
  if (Status role = owner.ExecScript("become_owner", "SET ROLE pcw_owner", stop); !role) {
    if (role.error().code() == ErrorCode::kUnavailable) return std::move(role).error();
    return Error(ErrorCode::kPermissionDenied,
                 "the login of database.admin_url may not become pcw_owner; a rebuild needs the "
                 "login that ran `pcw db migrate`")
        .With("sqlstate", std::string(role.error().Find("sqlstate").value_or("")));
  }
  PCW_TRY_OK(owner.Exec({"owner_settings",
                         "SELECT set_config('pcw.tenant', $1, false), "
                         "set_config('plan_cache_mode', 'force_custom_plan', false)"},
                        {database.tenant_id()}, stop));
  return owner;
}

reingest::ReingestOptions OptionsFor(const config::Config& config, const ReingestArgs& wanted,
                                     const reingest::ReingestSelection& selection) {
  reingest::ReingestOptions options;
  options.tenant_id = config.tenant_id;
  options.connector_config_json = wiring::ConnectorConfigJson(config);
  options.catalog = config.partner_central.catalog;
  options.selection = selection;
  options.mapping_file = wanted.mapping;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  options.connections =
      wanted.connections > 0 ? wanted.connections : std::clamp(cores, 1, kMostConnections);
  options.is_dry_run = wanted.is_dry_run;
  options.is_rebuild = wanted.is_rebuild;
  if (wanted.adopts_older_mapping) options.older_mapping = runs::OlderMapping::kAdopt;
  if (wanted.has_expect) options.expect_lost = wanted.expect;
  if (wanted.has_resume) options.resume_run = wanted.resume;
  return options;
}

Result<int> RunReingestVerb(const wiring::Invocation& invocation, const ReingestArgs& wanted) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  const config::Config& config = loaded.config;
  PCW_TRY(const auto entities,
          wiring::EntitiesNamed(connector::PartnerCentral(), wanted.entity, config));
  if (entities.size() != 1) return wiring::UsageError("--entity: name one entity");
  const connector::EntityDef& entity = *entities.front();
  reingest::ReingestSelection selection = wanted.selection;
  PCW_TRY(selection.since, wiring::ParseTimeOption("--since", wanted.since));
  PCW_TRY(selection.until, wiring::ParseTimeOption("--until", wanted.until));
  if (wanted.has_resume && (!selection.is_all() || wanted.is_dry_run || wanted.is_rebuild))
    return wiring::UsageError(
        "--resume goes on with what that run selected; give no selection with it");
  PCW_TRY(const connector::Mapping mapping, LoadMapping(config, entity, wanted.mapping));

  wiring::Machine machine;
  const std::filesystem::path home = config::HomeDirectory(invocation.environment);
  PCW_TRY(const auto lake, wiring::OpenLake(config, invocation.environment, machine));
  PCW_TRY(const auto database, wiring::DatabaseAccess::Open(config, home, invocation.stop));
  {
    PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
    PCW_TRY_OK(wiring::ConfirmLake(connection, config, invocation.environment,
                                   wiring::OtherLake::kRefuse, machine, invocation.stop));
  }
  const reingest::ReingestOptions options = OptionsFor(config, wanted, selection);
  wiring::ProgressDisplay display({.entity = std::string(entity.name), .calls_left = -1},
                                  machine.clock);
  wiring::DatabaseAccess& access = *database;
  Result<reingest::ReingestOutcome> outcome = reingest::RunReingest(
      entity, mapping, options,
      {.open = [&access](std::stop_token stop) { return access.OpenService(stop); },
       .open_owner = [&access](std::stop_token stop) { return OpenOwner(access, stop); },
       .lease_connect = access.ServiceConnect(),
       .store = *lake,
       .clock = machine.clock,
       .sleeper = machine.sleeper,
       .rng = machine.rng,
       .on_progress = [&display](const runs::Progress& progress) { display.Show(progress); }},
      invocation.stop);
  display.Finish();
  PCW_TRY_OK(outcome);
  PrintReingest(invocation, *outcome, options, entity, mapping);
  if (outcome->error) return AsStopped(std::move(*outcome->error));
  if (outcome->status == connector::RunStatus::kPartial) return kExitDeadLetters;
  const bool has_changes = outcome->stats.rows_inserted + outcome->stats.rows_updated > 0;
  return options.is_dry_run && wanted.has_detailed_exit_code && has_changes ? kExitChanges
                                                                            : kExitOk;
}

void AddSelection(CLI::App& verb, const std::shared_ptr<ReingestArgs>& wanted) {
  reingest::ReingestSelection& selection = wanted->selection;
  verb.add_option("--since", wanted->since, "only what was fetched at that time or later")
      ->type_name("TIME");
  verb.add_option("--until", wanted->until, "only what was fetched before that time")
      ->type_name("TIME");
  verb.add_option("--run", selection.run,
                  "only what that run fetched (id, or its first 8 letters)");
  verb.add_option("--id", selection.ids, "only these records; repeatable")->allow_extra_args(false);
  verb.add_option("--null", selection.null_column, "only records whose row has NULL in that column")
      ->type_name("COLUMN");
  verb.add_flag("--letters", selection.letters,
                "only records with an open dead letter of stage map, from where it points");
  verb.add_option("--finding", selection.finding,
                  "only records since the first run of that drift finding (its id or column)");
}

}  // namespace

void AddBronzeReingest(CLI::App& bronze, wiring::Invocation& invocation) {
  auto wanted = std::make_shared<ReingestArgs>();
  CLI::App* verb = AddVerb(
      bronze, "reingest", "Make an entity's rows from bronze again, without one call to AWS",
      "  pcw bronze reingest --entity opportunities --dry-run\n"
      "  pcw bronze reingest --entity opportunities --mapping opportunities-v2.yaml\n"
      "  pcw bronze reingest --entity leads --letters         # replay dead letters\n"
      "  pcw bronze reingest --entity opportunities --null customer_industry --since 2026-11-01\n"
      "  pcw bronze reingest --entity opportunities --rebuild # shadow table, then swap");
  verb->add_option("--entity", wanted->entity, "what to re-ingest")
      ->required()
      ->check(KnownValues(connector::EntityNames()));
  AddSelection(*verb, wanted);
  verb->add_option("--mapping", wanted->mapping, "map by this document, not by the built-in one")
      ->type_name("FILE");
  verb->add_flag("--older-mapping", wanted->adopts_older_mapping,
                 "go back to the mapping in force although rows were made by a newer one");
  verb->add_option("--connections", wanted->connections,
                   "sessions that merge; default: one a core, at most 4")
      ->check(CLI::Range(1, kMostConnections));
  verb->add_flag("--dry-run", wanted->is_dry_run,
                 "change nothing; tell which rows and columns would change");
  verb->add_flag("--detailed-exitcode", wanted->has_detailed_exit_code,
                 "with --dry-run: exit 2 if something would change");
  verb->add_flag("--rebuild", wanted->is_rebuild,
                 "make the table anew beside the live one and swap (uses database.admin_url)");
  verb->add_option("--expect", wanted->expect,
                   "with --rebuild: exactly so many rows may vanish that bronze does not hold");
  verb->add_option("--resume", wanted->resume,
                   "go on behind what that re-ingest completed; without a value, the newest one")
      ->expected(0, 1);
  AddOutputOption(*verb, invocation);
  verb->callback([&invocation, wanted, verb] {
    wanted->has_resume = verb->count("--resume") > 0;
    wanted->has_expect = verb->count("--expect") > 0;
    invocation.verb = [&invocation, wanted] { return RunReingestVerb(invocation, *wanted); };
  });
}

}  // namespace pcw::cli
