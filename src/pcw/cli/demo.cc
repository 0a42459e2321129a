// pcw demo: the whole product on one machine, without AWS.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <system_error>

#include <fmt/format.h>

#include "pcw/base/file.h"
#include "pcw/base/time.h"
#include "pcw/cli/cli.h"
#include "pcw/serve/serve.h"
#include "pcw/sim/server.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/sync_command.h"

namespace pcw::cli {
namespace {

constexpr int kOpportunities = 150;
constexpr const char* kHealthQuery =
    "SELECT id, entity, status, started_at, ended_at,\n"
    "       stats_json->>'records_processed' as records\n"
    "FROM ingestion_runs\n"
    "WHERE connector_id = (SELECT id FROM connectors WHERE kind = 'partner_central')\n"
    "ORDER BY started_at DESC\n"
    "LIMIT 10;";

enum class Pace { kAwsQuotas, kUnlimited };
enum class Afterwards { kEnd, kServe };

// The caller's own AWS settings never reach the demo: its environment is made here.
std::map<std::string, std::string> DemoEnvironment(
    const std::map<std::string, std::string>& callers, const std::filesystem::path& home,
    std::uint16_t port, Pace pace) {
  std::map<std::string, std::string> environment;
  for (const char* kept : {"PATH", "HOME", "XDG_RUNTIME_DIR", "PCW_PG_BIN"}) {
    if (const auto found = callers.find(kept); found != callers.end()) environment.insert(*found);
  }
  environment["PCW_HOME"] = home.string();
  environment["AWS_CONFIG_FILE"] = "/dev/null";
  environment["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null";
  environment["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE";
  environment["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  environment["AWS_ENDPOINT_URL"] = fmt::format("http://127.0.0.1:{}", port);
  if (pace == Pace::kUnlimited) {
    environment["PCW_QUOTA_READS_PER_SECOND"] = "0";
    environment["PCW_QUOTA_WRITES_PER_SECOND"] = "0";
  }
  return environment;
}

Status WipeHome(const std::filesystem::path& home, std::stop_token stop) {
  std::error_code problem;
  if (!std::filesystem::exists(home, problem)) return Ok{};
  // An earlier demo that was killed may have left its server running: adopt it, and it stops with
  // us.
  if (std::filesystem::exists(home / "pg", problem)) {
    if (auto adopted = pg::EmbeddedCluster::Start({.home = home}, stop); !adopted)
      return std::move(adopted).error();
  }
  std::filesystem::remove_all(home, problem);
  if (problem) {
    return Error(ErrorCode::kConfig, fmt::format("cannot wipe {}: {}; remove it by hand",
                                                 home.string(), problem.message()));
  }
  return Ok{};
}

Status PrintHealth(wiring::DatabaseAccess& database, std::stop_token stop) {
  PCW_TRY(pg::Connection connection, database.OpenService(stop));
  PCW_TRY(const pg::Rows rows, connection.Exec({"runbook_health", kHealthQuery}, {}, stop));
  std::vector<OutputColumn> columns;
  for (std::size_t column = 0; column < rows.columns(); ++column)
    columns.push_back({rows.name(column), rows.name(column), false});
  std::vector<OrderedJson> lines;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    OrderedJson line;
    for (std::size_t column = 0; column < rows.columns(); ++column)
      line[std::string(rows.name(column))] = rows.Text(row, column);
    lines.push_back(std::move(line));
  }
  std::printf("\nThe runbook's health query (2.1), as written:\n%s\n\n", kHealthQuery);
  PrintRows(wiring::OutputFormat::kTable, columns, lines, "no rows");
  PCW_TRY(const pg::Rows counts,
          connection.Exec({"demo_counts",
                           "SELECT count(*), count(customer_company_name), "
                           "count(expected_revenue_usd), sum(expected_revenue_usd) FROM "
                           "partnercentral_opportunities"},
                          {}, stop));
  std::printf(
      "\npartnercentral_opportunities: %s rows, %s with a company name, %s with a monthly USD "
      "amount, together %s USD a month\n",
      std::string(counts.Text(0, 0)).c_str(), std::string(counts.Text(0, 1)).c_str(),
      std::string(counts.Text(0, 2)).c_str(), std::string(counts.Text(0, 3)).c_str());
  return Ok{};
}

// What the other side saw, not what pcw believes it sent.
void PrintQuotaUsed(const sim::CallTotals& seen, std::int64_t reads_per_day, Pace pace) {
  std::uint64_t reads = 0, refused = 0;
  for (std::size_t i = 0; i < sim::kOperations; ++i) {
    if (!sim::IsSellingRead(static_cast<sim::Operation>(i))) continue;
    const auto& outcomes = seen.by_operation[i];
    reads = std::accumulate(outcomes.begin(), outcomes.end(), reads);
    refused += outcomes[static_cast<std::size_t>(sim::Outcome::kRefusedSecond)] +
               outcomes[static_cast<std::size_t>(sim::Outcome::kRefusedDay)];
  }
  const auto count = [](std::uint64_t number) {
    return wiring::FormatCount(static_cast<std::int64_t>(number));
  };
  if (pace == Pace::kUnlimited) {
    std::printf(
        "\nquota: lifted by --fast, %s reads sent; against AWS pcw keeps to 10 a second and %s in "
        "24 hours\n",
        count(reads).c_str(), wiring::FormatCount(reads_per_day).c_str());
    return;
  }
  std::printf(
      "\nquota: %s of %s reads of the rolling 24 hours used; the simulator, as strict as AWS, "
      "refused %s and saw at most %s in any second\n",
      count(reads).c_str(), wiring::FormatCount(reads_per_day).c_str(), count(refused).c_str(),
      count(seen.max_arrivals_per_second).c_str());
}

// The service on what the demo has made, until it is stopped. A file of its own, so that no
// pcw.yaml of the caller speaks here.
Result<int> ServeDemo(const wiring::Invocation& invocation, const std::filesystem::path& home,
                      std::map<std::string, std::string> environment) {
  const std::filesystem::path file = home / "demo.yaml";
  PCW_TRY_OK(WriteFileDurably(file, "environment: dev\n", IfExists::kReplace));
  wiring::Invocation serving;
  serving.config_file = file.string();
  serving.environment = std::move(environment);
  serving.environment["PCW_SERVER_LISTEN"] = "127.0.0.1:0";  // any free port
  serving.stop = invocation.stop;
  serving.program = invocation.program;
  std::printf("\nThe service runs until Ctrl-C; its address is in the line \"serving\":\n\n");
  std::fflush(stdout);
  return serve::Serve(serving, {});
}

Result<int> Demo(const wiring::Invocation& invocation, Pace pace, Afterwards afterwards) {
  PCW_TRY_OK(config::CheckHome(invocation.environment));
  PCW_TRY_OK(config::MakeHome(config::HomeDirectory(invocation.environment)));
  const std::filesystem::path home = config::HomeDirectory(invocation.environment) / "demo";
  PCW_TRY_OK(WipeHome(home, invocation.stop));

  sim::SimOptions local_aws;
  local_aws.opportunities = kOpportunities;
  local_aws.quota = pace == Pace::kAwsQuotas ? sim::QuotaMode::kEnforced : sim::QuotaMode::kOff;
  PCW_TRY(const auto simulator, sim::SimServer::Start(local_aws));
  std::printf(
      "pcw demo: %d opportunities, %d leads, %d solutions and %d profiles in a local AWS simulator "
      "on "
      "port %d, private PostgreSQL and lake in %s\n",
      kOpportunities, static_cast<int>(local_aws.leads), static_cast<int>(local_aws.solutions),
      static_cast<int>(local_aws.profiles), simulator->port(), home.c_str());
  std::printf(pace == Pace::kAwsQuotas
                  ? "At AWS's real quotas (10 reads a second): about 20 s. `--fast` lifts them.\n"
                  : "--fast: the quotas are lifted, on both sides.\n");
  std::fflush(stdout);

  config::ConfigSources sources;
  sources.env = DemoEnvironment(invocation.environment, home, simulator->port(), pace);
  sources.searches_default_files = false;
  PCW_TRY(const config::LoadedConfig loaded, config::LoadConfig(sources));
  wiring::Machine machine;
  PCW_TRY(wiring::SyncCommandDeps deps,
          wiring::OpenSyncDeps(loaded.config, sources.env, "demo", machine, invocation.stop));

  for (const connector::RunMode mode :
       {connector::RunMode::kFull, connector::RunMode::kIncremental}) {
    for (const connector::EntityDef* entity : connector::AllEntities()) {
      if (!wiring::IsConfigured(*entity, loaded.config)) continue;
      std::printf("\n$ pcw sync run partner-central %s --mode %s\n",
                  std::string(entity->name).c_str(), std::string(NameOf(mode)).c_str());
      std::fflush(stdout);
      PCW_TRY(const sync::RunOutcome outcome,
              wiring::SyncEntity(deps, loaded.config, *entity, {.mode = mode}, machine,
                                 invocation.stop));
      std::fputs(wiring::DescribeOutcome(outcome, entity->name).c_str(), stdout);
      if (outcome.error) return AsStopped(*outcome.error);
    }
  }

  PCW_TRY(const auto objects, deps.lake->List("bronze/", invocation.stop));
  std::printf("\nbronze, in %s:\n", deps.lake->Describe().c_str());
  for (const lake::ObjectInfo& object : objects)
    std::printf("  %9s bytes  %s\n",
                wiring::FormatCount(static_cast<std::int64_t>(object.bytes)).c_str(),
                object.key.c_str());
  PCW_TRY_OK(PrintHealth(*deps.database, invocation.stop));
  PrintQuotaUsed(simulator->totals(), loaded.config.quota.reads_per_day, pace);
  std::printf(
      "\nLook around: PCW_HOME=%s pcw db psql        (or: runs list, bronze ls, dlq list)\n",
      home.c_str());
  if (afterwards == Afterwards::kServe) return ServeDemo(invocation, home, sources.env);
  return kExitOk;
}

}  // namespace

void AddDemo(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* demo = AddVerb(root, "demo",
                           "See a first sync against a local AWS simulator, with a private "
                           "PostgreSQL; leaves nothing running",
                           "  pcw demo\n  pcw demo --fast    # without the quotas' waiting\n"
                           "  pcw demo --serve   # then the service on it, until Ctrl-C");
  auto is_fast = std::make_shared<bool>(false);
  demo->add_flag("--fast", *is_fast, "lift the quotas of pcw and of the simulator");
  auto is_serving = std::make_shared<bool>(false);
  demo->add_flag("--serve", *is_serving, "leave the service running on it, until Ctrl-C");
  demo->callback([&invocation, is_fast, is_serving] {
    invocation.verb = [&invocation, is_fast, is_serving] {
      return Demo(invocation, *is_fast ? Pace::kUnlimited : Pace::kAwsQuotas,
                  *is_serving ? Afterwards::kServe : Afterwards::kEnd);
    };
  });
}

}  // namespace pcw::cli
