#include "pcw/wiring/tenants.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "pcw/base/log.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {
namespace {

// What is the process's and not a tenant's. Whether a webhook may lead into the operator's own
// network is for the operator to say (I32).
constexpr std::array<std::string_view, 6> kSharedGroups{
    "database.", "logging.", "server.", "service.", "tenants.", "events.out.private"};

std::string WithoutEndSlashes(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

std::string FileLocation(const std::filesystem::path& directory) {
  const std::filesystem::path absolute = std::filesystem::absolute(directory).lexically_normal();
  std::error_code problem;
  // Two paths that links join are one location.
  const std::filesystem::path real = std::filesystem::weakly_canonical(absolute, problem);
  return "file://" + WithoutEndSlashes((problem ? absolute : real).string());
}

// A tenant's file is complete in itself: PCW_* speaks of the main one.
std::map<std::string, std::string> WithoutSettings(
    const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> rest;
  for (const auto& [name, value] : environment)
    if (!name.starts_with("PCW_")) rest.emplace(name, value);
  return rest;
}

Error OverlapError(const std::string& tenant, const std::string& other,
                   const std::string& location) {
  return Error(ErrorCode::kConfig,
               fmt::format("tenant {}: lake.url: {} is, holds or lies in the lake of {} (links "
                           "followed); give each a directory or prefix of its own: pcw tenant "
                           "create {} --config FILE",
                           tenant, location, other, tenant));
}

// What AdoptMain takes over.
constexpr std::array<std::string_view, 4> kAdoptable{
    "connectors.partner_central.schedule", "connectors.partner_central.incremental_every",
    "connectors.partner_central.list_every", "connectors.partner_central.mappings"};

bool IsAdoptable(std::string_view key) {
  return std::find(kAdoptable.begin(), kAdoptable.end(), key) != kAdoptable.end();
}

Status CheckKeys(const config::LoadedConfig& loaded) {
  for (const config::ShownKey& key : loaded.keys) {
    const bool is_shared =
        std::any_of(kSharedGroups.begin(), kSharedGroups.end(),
                    [&](std::string_view group) { return key.key.starts_with(group); });
    if (is_shared && key.origin.starts_with("file ")) {
      return Error(ErrorCode::kConfig,
                   fmt::format("{}: {} belongs into the main configuration; a tenant has aws, "
                               "lake, sync, connectors, quota, dlq and events of its own",
                               key.origin.substr(5), key.key));
    }
  }
  return Ok{};
}

}  // namespace

std::string LakeLocation(const config::Config& config,
                         const std::map<std::string, std::string>& environment) {
  const std::string& url = config.lake.url;
  if (url.empty()) return FileLocation(config::HomeDirectory(environment) / "lake");
  constexpr std::string_view kFile = "file://";
  if (url.starts_with(kFile)) return FileLocation(url.substr(kFile.size()));
  return WithoutEndSlashes(url);
}

bool DoLakesOverlap(std::string_view left, std::string_view right) {
  const auto is_below = [](std::string_view location, std::string_view root) {
    return location.starts_with(root) &&
           (location.size() == root.size() || location[root.size()] == '/');
  };
  return is_below(left, right) || is_below(right, left);
}

Result<config::LoadedConfig> TenantConfig(const identity::StoredTenant& tenant,
                                          const std::string& file, const config::LoadedConfig& main,
                                          const std::map<std::string, std::string>& environment) {
  config::ConfigSources sources;
  sources.given_text = {file, tenant.config};
  sources.env = WithoutSettings(environment);
  sources.secrets_dir = main.config.tenants.secrets_dir;
  PCW_TRY(config::LoadedConfig loaded, config::LoadConfig(sources));
  PCW_TRY_OK(CheckKeys(loaded));
  config::Config& config = loaded.config;
  config.tenant_id = tenant.id;
  config.tenant_name = tenant.name;
  config.database = main.config.database;
  config.logging = main.config.logging;
  config.server = main.config.server;
  config.service = main.config.service;
  config.tenants = main.config.tenants;
  config.events.out.is_private = main.config.events.out.is_private;
  if (config.lake.url.empty())
    config.lake.url =
        FileLocation(config::HomeDirectory(environment) / "tenants" / tenant.name / "lake");
  if (config.aws.role_arn.empty() && config.aws.profile.empty()) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{}: aws.role_arn: a tenant without one would call AWS with the "
                             "operator's credentials; name the tenant's role (and external_id), or "
                             "aws.profile",
                             file));
  }
  if (DoLakesOverlap(LakeLocation(config, environment), LakeLocation(main.config, environment))) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{}: lake.url: the main configuration's bronze lies there, above or "
                             "below (links followed); every tenant needs a bucket, prefix or "
                             "directory of its own",
                             file));
  }
  loaded.file = main.file;  // whose logging settings are followed
  return loaded;
}

Result<config::LoadedConfig> LoadTenant(const config::LoadedConfig& main, const std::string& name,
                                        const std::map<std::string, std::string>& environment,
                                        std::stop_token stop) {
  PCW_TRY(const auto database,
          DatabaseAccess::Open(main.config, config::HomeDirectory(environment), stop));
  PCW_TRY(pg::Connection connection, database->OpenService(stop));
  PCW_TRY(const auto tenants, identity::ReadTenants(connection, stop));
  std::string names;
  for (const identity::StoredTenant& tenant : tenants) {
    if (tenant.name == name || tenant.id == name) {
      if (tenant.id == config::kDefaultTenant) return main;
      PCW_TRY(config::LoadedConfig loaded,
              TenantConfig(tenant, "tenant " + tenant.name, main, environment));
      const std::string location = LakeLocation(loaded.config, environment);
      for (const identity::StoredTenant& other : tenants) {
        if (other.id != tenant.id && other.id != config::kDefaultTenant &&
            DoLakesOverlap(location, other.lake))
          return OverlapError(tenant.name, other.name, location);
      }
      return loaded;
    }
    names += (names.empty() ? "" : ", ") + tenant.name;
  }
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("--tenant {}: there is no such tenant; there is {}", name, names))
      .As(ErrorMark::kUsage);
}

TenantDirectory::TenantDirectory(config::LoadedConfig main,
                                 std::map<std::string, std::string> environment)
    : main_(std::move(main)), environment_(std::move(environment)), keys_(main_.keys) {
  tenants_.push_back({config::kDefaultTenant, "default", "",
                      std::make_shared<const config::Config>(main_.config)});
}

Status TenantDirectory::Refresh(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const auto stored, identity::ReadTenants(connection, stop));
  const std::lock_guard lock(mutex_);
  std::vector<Tenant> now{tenants_.front()};
  for (const identity::StoredTenant& tenant : stored) {
    if (tenant.id == config::kDefaultTenant) continue;
    const auto known = std::find_if(tenants_.begin(), tenants_.end(), [&](const Tenant& held) {
      return held.id == tenant.id && held.updated_at == tenant.updated_at;
    });
    if (known != tenants_.end()) {
      now.push_back(*known);
      continue;
    }
    if (const auto refused = refused_.find(tenant.id);
        refused != refused_.end() && refused->second == tenant.updated_at)
      continue;
    const Result<config::LoadedConfig> loaded =
        TenantConfig(tenant, "tenant " + tenant.name, main_, environment_);
    if (!loaded) {
      LogError("a tenant's configuration is not used; its schedule rests", loaded.error());
      refused_[tenant.id] = tenant.updated_at;
      continue;
    }
    refused_.erase(tenant.id);
    if (!overlapping_.contains(tenant.id))
      Log(LogLevel::kInfo, "tenant loaded", {{"tenant", tenant.name}});
    now.push_back({tenant.id, tenant.name, tenant.updated_at,
                   std::make_shared<const config::Config>(loaded->config)});
  }
  tenants_ = WithoutOverlaps(std::move(now));
  return Ok{};
}

std::vector<TenantDirectory::Tenant> TenantDirectory::WithoutOverlaps(std::vector<Tenant> tenants) {
  std::vector<Tenant> apart;
  std::vector<std::string> locations;
  for (Tenant& tenant : tenants) {  // the older ones come first
    std::string location = LakeLocation(*tenant.config, environment_);
    const auto other =
        std::find_if(locations.begin(), locations.end(),
                     [&](const std::string& held) { return DoLakesOverlap(location, held); });
    if (other == locations.end()) {
      overlapping_.erase(tenant.id);
      locations.push_back(std::move(location));
      apart.push_back(std::move(tenant));
    } else if (overlapping_.insert(tenant.id).second) {
      const std::string& name = apart[static_cast<std::size_t>(other - locations.begin())].name;
      LogError("a tenant's configuration is not used; its schedule rests",
               OverlapError(tenant.name, name, location));
    }
  }
  return apart;
}

void TenantDirectory::AdoptMain(const config::LoadedConfig& changed) {
  std::string adopted, waiting;
  const std::lock_guard lock(mutex_);
  for (const config::ShownKey& key : changed.keys) {
    const auto before =
        std::find_if(keys_.begin(), keys_.end(),
                     [&](const config::ShownKey& shown) { return shown.key == key.key; });
    if (before == keys_.end() || before->value == key.value) continue;
    // The follower of the log applies those itself.
    if (key.key.starts_with("logging.")) continue;
    std::string& list = IsAdoptable(key.key) ? adopted : waiting;
    list += (list.empty() ? "" : ", ") + key.key;
  }
  keys_ = changed.keys;
  if (!waiting.empty()) {
    Log(LogLevel::kWarn, "these changed settings hold from the next start of the service on",
        {{"keys", waiting}});
  }
  if (adopted.empty()) return;
  auto config = std::make_shared<config::Config>(*tenants_.front().config);
  config->partner_central.schedule = changed.config.partner_central.schedule;
  config->partner_central.incremental_every = changed.config.partner_central.incremental_every;
  config->partner_central.list_every = changed.config.partner_central.list_every;
  config->partner_central.mappings = changed.config.partner_central.mappings;
  tenants_.front().config = std::move(config);
  Log(LogLevel::kInfo, "configuration reloaded", {{"keys", adopted}});
}

std::vector<TenantDirectory::Tenant> TenantDirectory::All() const {
  const std::lock_guard lock(mutex_);
  return tenants_;
}

std::shared_ptr<const config::Config> TenantDirectory::ConfigOf(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const Tenant& tenant : tenants_)
    if (tenant.id == id) return tenant.config;
  return nullptr;
}

}  // namespace pcw::wiring
