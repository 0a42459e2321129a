// pcw db migrate|status|lake|psql
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pcw/cli/cli.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/pg/conninfo.h"
#include "pcw/pg/migrate.h"
#include "pcw/wiring/lake_identity.h"
#include "pcw/wiring/mapped_columns.h"
#include "pcw/wiring/tenants.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

// Tenants' mappings fill the same tables. A tenant whose configuration has a mistake is told and
// does not stand in the way of the others; its own syncs say the same.
Result<int> AddTenantsColumns(pg::Connection& admin, const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig main, invocation.LoadMain());
  PCW_TRY(const auto tenants, identity::ReadTenants(admin, invocation.stop));
  int added = 0;
  for (const identity::StoredTenant& tenant : tenants) {
    if (tenant.id == config::kDefaultTenant) continue;
    const Result<int> more = [&]() -> Result<int> {
      PCW_TRY(const config::LoadedConfig loaded,
              wiring::TenantConfig(tenant, "tenant " + tenant.name, main, invocation.environment));
      return wiring::AddMappedColumns(loaded.config, admin, invocation.stop);
    }();
    if (more) {
      added += *more;
    } else if (more.error().code() == ErrorCode::kConfig) {
      std::fprintf(stderr, "pcw: warning: no columns for the mappings of tenant %s: %s\n",
                   tenant.name.c_str(), more.error().message().c_str());
    } else {
      return more.error();
    }
  }
  return added;
}

Result<int> Migrate(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection admin, database->OpenAdmin(invocation.stop));
  PCW_TRY(const pg::Migrated applied, pg::Migrate(admin, invocation.stop));
  PCW_TRY_OK(database->GrantServiceLogin(admin, invocation.stop));
  PCW_TRY(int columns, wiring::AddMappedColumns(loaded.config, admin, invocation.stop));
  PCW_TRY(const int theirs, AddTenantsColumns(admin, invocation));
  columns += theirs;
  if (columns > 0) std::printf("%d columns of configured mappings added\n", columns);
  if (applied.migrations > 0) std::printf("%d migrations applied; ", applied.migrations);
  if (applied.function_files > 0)
    std::printf("%d files of functions applied; ", applied.function_files);
  std::printf("the schema is up to date\n");
  return kExitOk;
}

const char* StateWord(pg::SchemaState state) {
  switch (state) {
    case pg::SchemaState::kPending:
      return "pending";
    case pg::SchemaState::kApplied:
      return "applied";
    case pg::SchemaState::kAltered:
      return "altered";
    case pg::SchemaState::kNewer:
      break;
  }
  return "newer";
}

Result<int> ShowStatus(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection admin, database->OpenAdmin(invocation.stop));
  PCW_TRY(const auto states, pg::MigrationStatus(admin, invocation.stop));
  std::vector<OrderedJson> rows;
  bool is_pending = false;
  for (const pg::MigrationState& state : states) {
    is_pending = is_pending || state.state == pg::SchemaState::kPending ||
                 state.state == pg::SchemaState::kAltered;
    rows.push_back({{"version", state.version},
                    {"name", state.name},
                    {"state", StateWord(state.state)},
                    {"applied_at", state.applied_at.empty() ? OrderedJson(nullptr)
                                                            : OrderedJson(state.applied_at)}});
  }
  PrintRows(invocation.output,
            {{"version", "VERSION", true},
             {"name", "NAME"},
             {"state", "STATE"},
             {"applied_at", "APPLIED"}},
            rows, "no migrations");
  return is_pending ? kExitFindings : kExitOk;
}

Result<int> Psql(const wiring::Invocation& invocation, const std::string& command) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  // Read-only by role and by session default; PGOPTIONS is how psql takes settings before the first
  // statement.
  const std::string options =
      fmt::format("-c role=pcw_operator -c default_transaction_read_only=on -c pcw.tenant={}",
                  database->tenant_id());
  PCW_TRY(const auto address, pg::ConninfoEnvironment(database->url()));
  const pid_t child = ::fork();
  if (child < 0)
    return Error(ErrorCode::kUnavailable,
                 "cannot start psql: " + std::generic_category().message(errno));
  if (child == 0) {
    for (const auto& [name, value] : address) ::setenv(name.c_str(), value.c_str(), 1);
    ::setenv("PGOPTIONS", options.c_str(), 1);
    std::vector<const char*> words{"psql"};
    // A script ends at its first mistake, and its exit code says so; a person goes on typing.
    const bool is_script = !command.empty() || ::isatty(STDIN_FILENO) == 0;
    if (is_script) words.insert(words.end(), {"-v", "ON_ERROR_STOP=1"});
    if (!command.empty()) words.insert(words.end(), {"-c", command.c_str()});
    words.push_back(nullptr);
    ::execvp("psql", const_cast<char* const*>(words.data()));
    std::fprintf(stderr, "pcw: cannot start psql: %s; install postgresql-client\n",
                 std::generic_category().message(errno).c_str());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error(ErrorCode::kInternal, "lost track of psql");
  }
  // psql's own codes (1, 2, 3) mean other things here.
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? kExitOk : kExitFindings;
}

// Which lake the database knows; with kAccept it is the configuration's from now on.
Result<int> ShowLake(const wiring::Invocation& invocation, wiring::OtherLake other) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  wiring::Machine machine;
  PCW_TRY_OK(wiring::ConfirmLake(connection, loaded.config, invocation.environment, other, machine,
                                 invocation.stop));
  PCW_TRY(const wiring::LakeIdentity lake,
          wiring::FindLakeIdentity(loaded.config, invocation.environment));
  PrintObject(invocation.output, {{"lake", lake.location}, {"id", lake.id}});
  return kExitOk;
}

}  // namespace

void AddDb(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("db", "The PostgreSQL database")->require_subcommand(1);

  CLI::App* migrate = AddVerb(
      *noun, "migrate", "Make or upgrade the schema (on database.admin_url)",
      "  pcw db migrate\n  PCW_DATABASE_ADMIN_URL=postgresql://admin@db/pcw pcw db migrate");
  migrate->callback(
      [&invocation] { invocation.verb = [&invocation] { return Migrate(invocation); }; });

  CLI::App* status = AddVerb(*noun, "status",
                             "Which migrations and functions are applied; exit 1 if any is pending",
                             "  pcw db status\n  pcw db status -o json");
  AddOutputOption(*status, invocation);
  status->callback(
      [&invocation] { invocation.verb = [&invocation] { return ShowStatus(invocation); }; });

  CLI::App* lake = AddVerb(
      *noun, "lake", "The lake that the database belongs to; exit 78 if lake.url is another",
      "  pcw db lake\n  pcw db lake --accept   # the lake was moved as a whole: this is it now");
  AddOutputOption(*lake, invocation);
  auto other = std::make_shared<wiring::OtherLake>(wiring::OtherLake::kRefuse);
  lake->add_flag_callback(
      "--accept", [other] { *other = wiring::OtherLake::kAccept; },
      "this lake is the database's from now on");
  lake->callback([&invocation, other] {
    invocation.verb = [&invocation, other] { return ShowLake(invocation, *other); };
  });

  CLI::App* psql = AddVerb(
      *noun, "psql", "Open psql as the read-only operator; the runbook's queries run as written",
      "  pcw db psql\n  pcw db psql -c 'SELECT count(*) FROM partnercentral_opportunities'\n  pcw "
      "db "
      "psql < report.sql   # ends with 1 at the first mistake");
  auto command = std::make_shared<std::string>();
  psql->add_option("-c,--command", *command, "run this and end");
  psql->callback([&invocation, command] {
    invocation.verb = [&invocation, command] { return Psql(invocation, *command); };
  });
}

}  // namespace pcw::cli
