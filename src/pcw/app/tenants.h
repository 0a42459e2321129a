// Tenants and their configurations: rows of `tenants`, read with the main configuration's help.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/app/config.h"
#include "pcw/pg/connection.h"

namespace pcw::app {

/// A row of `tenants`. The default tenant has no configuration here: it is the main file.
struct StoredTenant {
  std::string id, name, config, lake, created_at, updated_at;
};

Result<std::vector<StoredTenant>> ReadTenants(pg::Connection& connection, std::stop_token stop);

/// Where a configuration's bronze lies, spelt so that equal places are equal texts: an s3:// URL
/// without slashes at its end, or the file:// URL of the absolute directory.
std::string LakePlace(const Config& config, const std::map<std::string, std::string>& environment);

/// The configuration of a tenant: its own file alone, without PCW_* and flags, which are the main
/// one's; database, logging, server, service and events.out.private are the main one's too, and may
/// not stand in it. An
/// empty lake.url means $PCW_HOME/tenants/<name>/lake. kConfig with every mistake.
Result<LoadedConfig> TenantConfig(const StoredTenant& tenant, const std::string& file,
                                  const LoadedConfig& main,
                                  const std::map<std::string, std::string>& environment);

/// The configuration of the tenant of that name, from the database of the main one. kNotFound with
/// the names there are.
Result<LoadedConfig> LoadTenant(const LoadedConfig& main, const std::string& name,
                                const std::map<std::string, std::string>& environment,
                                std::stop_token stop);

/// Makes the tenant or gives it another configuration, as pcw_owner on the admin connection; true
/// if it is new. kConflict when another tenant's bronze lies in the same place.
Result<bool> PutTenant(pg::Connection& admin, const StoredTenant& tenant, std::stop_token stop);

/// The tenants that a service works for, followed while it runs. Thread-safe.
class TenantDirectory {
 public:
  struct Tenant {
    std::string id, name, updated_at;
    std::shared_ptr<const Config> config;
  };

  TenantDirectory(LoadedConfig main, std::map<std::string, std::string> environment);

  /// Reads the tenants again; what changed holds from the next run on. A tenant whose configuration
  /// has a mistake, or whose bronze would lie in another one's place, is logged once and left out.
  Status Refresh(pg::Connection& connection, std::stop_token stop);

  /// Takes over what a running service can change of the main configuration: schedules and the
  /// directory of mappings. Both hold from the next run on. Other settings are named in the log and
  /// wait for a restart.
  void AdoptMain(const LoadedConfig& changed);

  std::vector<Tenant> All() const;
  /// nullptr: not known (yet).
  std::shared_ptr<const Config> ConfigOf(const std::string& id) const;

 private:
  const LoadedConfig main_;  ///< as the service was started
  const std::map<std::string, std::string> environment_;
  mutable std::mutex mutex_;
  std::vector<ShownKey> keys_;                  ///< of the main configuration last seen; by mutex_
  std::vector<Tenant> tenants_;                 // guarded by mutex_
  std::map<std::string, std::string> refused_;  // id -> updated_at; guarded by mutex_
};

}  // namespace pcw::app
