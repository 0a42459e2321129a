// The configurations of tenants (identity/tenant_store.h), read with the main configuration's help.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/config/config.h"
#include "pcw/identity/tenant_store.h"
#include "pcw/pg/connection.h"

namespace pcw::wiring {

/// Where a configuration's bronze lies, spelt so that equal locations are equal texts: an s3:// URL
/// without slashes at its end, or the file:// URL of the absolute directory with every link
/// followed.
std::string LakeLocation(const config::Config& config,
                         const std::map<std::string, std::string>& environment);

/// True if one of two locations, as LakeLocation spells them, is the other or lies below it.
bool DoLakesOverlap(std::string_view left, std::string_view right);

/// The configuration of a tenant: its own file alone, without PCW_* and flags, which are the main
/// one's; database, logging, server, service and events.out.private are the main one's too, and may
/// not stand in it. Its secrets come from files below the main one's tenants.secrets_dir only. It
/// names its own AWS identity (aws.role_arn, or aws.profile): the operator's is never used because
/// nothing was said. An empty lake.url means $PCW_HOME/tenants/<name>/lake. kConfig with every
/// mistake, and for a lake that overlaps the main one's.
Result<config::LoadedConfig> TenantConfig(const identity::StoredTenant& tenant,
                                          const std::string& file, const config::LoadedConfig& main,
                                          const std::map<std::string, std::string>& environment);

/// The configuration of the tenant of that name, from the database of the main one. kNotFound with
/// the names there are.
Result<config::LoadedConfig> LoadTenant(const config::LoadedConfig& main, const std::string& name,
                                        const std::map<std::string, std::string>& environment,
                                        std::stop_token stop);

/// The tenants that a service works for, followed while it runs. Thread-safe.
class TenantDirectory {
 public:
  struct Tenant {
    std::string id, name, updated_at;
    std::shared_ptr<const config::Config> config;
  };

  TenantDirectory(config::LoadedConfig main, std::map<std::string, std::string> environment);

  /// Reads the tenants again; what changed holds from the next run on. A tenant whose configuration
  /// has a mistake, or whose bronze overlaps an older one's (a link may have been laid since), is
  /// logged once and left out.
  Status Refresh(pg::Connection& connection, std::stop_token stop);

  /// Takes over what a running service can change of the main configuration: schedules and the
  /// directory of mappings. Both hold from the next run on. Other settings are named in the log and
  /// wait for a restart.
  void AdoptMain(const config::LoadedConfig& changed);

  std::vector<Tenant> All() const;
  /// nullptr: not known (yet).
  std::shared_ptr<const config::Config> ConfigOf(const std::string& id) const;

 private:
  /// Those whose bronze lies apart from that of all before them. mutex_ is held.
  std::vector<Tenant> WithoutOverlaps(std::vector<Tenant> tenants);

  const config::LoadedConfig main_;  ///< as the service was started
  const std::map<std::string, std::string> environment_;
  mutable std::mutex mutex_;
  std::vector<config::ShownKey> keys_;          ///< of the main configuration last seen; by mutex_
  std::vector<Tenant> tenants_;                 // guarded by mutex_
  std::map<std::string, std::string> refused_;  // id -> updated_at; guarded by mutex_
  std::set<std::string> overlapping_;           // ids that were told of; guarded by mutex_
};

}  // namespace pcw::wiring
