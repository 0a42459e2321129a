// pcw bronze verify: the lake against its manifests, and against the database where there is one.
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/cli/cli.h"
#include "pcw/connector/entity_def.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/selection.h"
#include "pcw/lake/verify.h"
#include "pcw/runs/run_bronze.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

/// What the database adds.
struct CrossCheck {
  std::string skipped;           ///< why it was not done; empty = it was
  std::int64_t uncommitted = 0;  ///< parts of unfinished runs that were stored and not committed
};

bool IsBelow(const std::string& key, const std::string& prefix) { return key.starts_with(prefix); }

// Objects and rows that lack each other.
Status CompareLake(lake::BronzeStore& store, const std::string& prefix, pg::Connection& connection,
                   lake::VerifyReport& report, CrossCheck& check, std::stop_token stop) {
  PCW_TRY(const auto known, runs::LoadRunFolders(connection, stop));
  PCW_TRY(const std::vector<std::string> parts, runs::LoadPartKeys(connection, stop));
  std::set<std::string> committed;
  for (const std::string& key : parts)
    if (IsBelow(key, prefix)) committed.insert(key);
  PCW_TRY(const std::vector<lake::RunFolder> folders, lake::ListRunFolders(store, prefix, stop));
  std::set<std::string> with_manifest;
  for (const lake::RunFolder& folder : folders) {
    if (folder.has_manifest) with_manifest.insert(folder.prefix);
    const bool is_known = known.contains(folder.run_id);
    if (!is_known)
      report.problems.push_back(
          {folder.prefix, "belongs to a run that the database does not know"});
    for (const lake::FolderObject& object : folder.objects) {
      const bool is_committed = committed.erase(object.key) > 0;
      if (is_committed || object.part == 0 || !is_known) continue;
      if (folder.has_manifest) {
        report.problems.push_back(
            {object.key, "is in a finished run's manifest, but was never committed"});
      } else {
        ++check.uncommitted;  // a run that was killed between storing and committing
      }
    }
  }
  for (const std::string& key : committed) {
    report.problems.push_back({key, "was committed to the database and is not in the lake"});
  }
  for (const auto& [id, run] : known) {
    const bool is_ours = run.is_complete && !run.prefix.empty() && IsBelow(run.prefix, prefix);
    if (is_ours && !with_manifest.contains(run.prefix))
      report.problems.push_back({run.prefix, "is of a finished run and has no manifest"});
  }
  return Ok{};
}

// The lake is proved without the database too; a database that is away is said, not an error.
Result<CrossCheck> CompareWithDatabase(const wiring::Invocation& invocation,
                                       const config::Config& config, lake::BronzeStore& store,
                                       const std::string& prefix, lake::VerifyReport& report) {
  CrossCheck check;
  const std::filesystem::path home = config::HomeDirectory(invocation.environment);
  if (config.database.url.empty() && !std::filesystem::exists(home / "pg")) {
    check.skipped = "there is no database yet";
    return check;
  }
  const auto database =
      wiring::DatabaseAccess::Open(config, home, invocation.stop, wiring::OpenMigration::kLeave);
  Result<pg::Connection> connection = database ? (*database)->OpenService(invocation.stop)
                                               : Result<pg::Connection>(database.error());
  if (!connection && connection.error().code() == ErrorCode::kCancelled)
    return std::move(connection).error();
  if (!connection) {
    check.skipped = connection.error().message();
    return check;
  }
  PCW_TRY_OK(CompareLake(store, prefix, *connection, report, check, invocation.stop));
  return check;
}

void PrintReport(const lake::VerifyReport& report, const CrossCheck& check) {
  for (const lake::VerifyProblem& problem : report.problems) {
    std::printf("ERROR (%s) %s\n", ForTerminal(problem.key).c_str(),
                ForTerminal(problem.what).c_str());
  }
  std::printf("%s runs (%s without manifest), %s parts, %s records, %s bytes: %s\n",
              wiring::FormatCount(report.runs).c_str(),
              wiring::FormatCount(report.runs_without_manifest).c_str(),
              wiring::FormatCount(report.parts).c_str(),
              wiring::FormatCount(report.records).c_str(),
              wiring::FormatCount(static_cast<std::int64_t>(report.bytes)).c_str(),
              report.problems.empty() ? "every object is what its manifest says"
                                      : fmt::format("{} problems", report.problems.size()).c_str());
  if (!check.skipped.empty()) {
    std::printf("not compared with the database: %s\n", ForTerminal(check.skipped).c_str());
  } else if (check.uncommitted > 0) {
    std::printf(
        "%s parts of unfinished runs were stored and not committed; a re-ingest takes them\n",
        wiring::FormatCount(check.uncommitted).c_str());
  }
}

Result<int> VerifyLake(const wiring::Invocation& invocation, const std::string& prefix) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  wiring::Machine machine;
  PCW_TRY(const auto store, wiring::OpenLake(loaded.config, invocation.environment, machine));
  PCW_TRY(lake::VerifyReport report, lake::VerifyBronze(*store, prefix, invocation.stop));
  PCW_TRY(const CrossCheck check,
          CompareWithDatabase(invocation, loaded.config, *store, prefix, report));
  if (invocation.output == wiring::OutputFormat::kTable) {
    PrintReport(report, check);
  } else {
    OrderedJson json{{"runs", report.runs},
                     {"runs_without_manifest", report.runs_without_manifest},
                     {"parts", report.parts},
                     {"records", report.records},
                     {"bytes", report.bytes},
                     {"compared_with_database", check.skipped.empty()},
                     {"uncommitted_parts", check.uncommitted},
                     {"problems", OrderedJson::array()}};
    for (const lake::VerifyProblem& problem : report.problems)
      json["problems"].push_back({{"key", problem.key}, {"what", problem.what}});
    PrintObject(invocation.output, json);
  }
  return report.problems.empty() ? kExitOk : kExitDeadLetters;
}

}  // namespace

void AddBronzeVerify(CLI::App& bronze, wiring::Invocation& invocation) {
  auto entity = std::make_shared<std::string>();
  auto prefix = std::make_shared<std::string>();
  CLI::App* verb =
      AddVerb(bronze, "verify",
              "Prove that bronze is what its manifests and the database say; exit 3 if not",
              "  pcw bronze verify\n  pcw bronze verify --entity opportunities -o json");
  verb->add_option("prefix", *prefix, "verify what lies below this key prefix");
  verb->add_option("--entity", *entity, "only this entity")
      ->check(KnownValues(connector::EntityNames()));
  AddOutputOption(*verb, invocation);
  verb->callback([=, &invocation] {
    invocation.verb = [=, &invocation] {
      return VerifyLake(invocation, BronzePrefix(*entity, *prefix));
    };
  });
}

}  // namespace pcw::cli
