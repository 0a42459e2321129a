// pcw tenant create|list
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/base/file.h"
#include "pcw/base/uuid.h"
#include "pcw/cli/cli.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/wiring/mapped_columns.h"
#include "pcw/wiring/tenants.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

constexpr std::size_t kMostConfigBytes = 256U << 10U;

bool IsTenantName(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.size() <= 63 && name.front() != '-' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<int> CreateTenant(const wiring::Invocation& invocation, const std::string& name) {
  if (!IsTenantName(name) || name == "default") {
    return wiring::UsageError(fmt::format(
        "\"{}\" cannot be a tenant's name; expected up to 63 of a-z, 0-9 and -, and not default, "
        "which is the main configuration file",
        name));
  }
  if (!invocation.tenant_file)
    return wiring::UsageError(
        "--config FILE: name the file with the tenant's aws, lake and connectors");
  PCW_TRY(const config::LoadedConfig main, invocation.LoadMain());
  wiring::Machine machine;
  identity::StoredTenant tenant;
  tenant.id = MakeUuidV7(machine.clock.Now(), machine.rng);
  tenant.name = name;
  Result<std::string> text = ReadFile(*invocation.tenant_file, kMostConfigBytes);
  if (!text) return Error(ErrorCode::kConfig, text.error().message());
  tenant.config = std::move(*text);
  PCW_TRY(const config::LoadedConfig loaded,
          wiring::TenantConfig(tenant, *invocation.tenant_file, main, invocation.environment));
  tenant.lake = wiring::LakeLocation(loaded.config, invocation.environment);
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(main.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection admin, database->OpenAdmin(invocation.stop));
  PCW_TRY_OK(wiring::AddMappedColumns(loaded.config, admin, invocation.stop));
  PCW_TRY(const bool is_new, identity::PutTenant(admin, tenant, invocation.stop));
  std::printf(
      "tenant %s %s; its bronze lies in %s. A running service takes it up within 10 s; by "
      "hand: pcw --tenant %s sync run partner-central all\n",
      name.c_str(), is_new ? "made" : "has the new configuration", tenant.lake.c_str(),
      name.c_str());
  return kExitOk;
}

Result<int> ListTenants(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig main, invocation.LoadMain());
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(main.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(invocation.stop));
  PCW_TRY(const auto tenants, identity::ReadTenants(connection, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const identity::StoredTenant& tenant : tenants) {
    const bool is_default = tenant.id == config::kDefaultTenant;
    rows.push_back({{"name", tenant.name},
                    {"id", tenant.id},
                    {"lake", is_default ? wiring::LakeLocation(main.config, invocation.environment)
                                        : tenant.lake},
                    {"created_at", tenant.created_at}});
  }
  PrintRows(invocation.output,
            {{"name", "NAME"}, {"id", "ID"}, {"lake", "LAKE"}, {"created_at", "CREATED"}}, rows,
            "no tenants");
  return kExitOk;
}

}  // namespace

void AddTenant(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("tenant", "Partners that share this installation, each by itself")
          ->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  CLI::App* create = AddVerb(
      *noun, "create", "Make a tenant, or give it another configuration (on database.admin_url)",
      "  pcw tenant create acme --config acme.yaml\n"
      "  pcw --tenant acme sync run partner-central all\n\n"
      "The file holds the tenant's aws (role_arn, external_id), lake, connectors and quota; "
      "database, logging, server\nand service are the main configuration's ($PCW_CONFIG, "
      "./pcw.yaml, /etc/pcw/pcw.yaml).");
  create->add_option("name", *name, "a-z, 0-9 and -")->required();
  create->add_option("--config", invocation.tenant_file, "the tenant's configuration file")
      ->type_name("FILE");
  create->callback([&invocation, name] {
    invocation.verb = [&invocation, name] { return CreateTenant(invocation, *name); };
  });

  CLI::App* list =
      AddVerb(*noun, "list", "The tenants", "  pcw tenant list\n  pcw tenant list -o json");
  AddOutputOption(*list, invocation);
  list->callback(
      [&invocation] { invocation.verb = [&invocation] { return ListTenants(invocation); }; });
}

}  // namespace pcw::cli
