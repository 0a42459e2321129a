// Tenants in PostgreSQL: their configurations as text, and the lake that each belongs to.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/pg/connection.h"

namespace pcw::identity {

/// A row of `tenants`. The default tenant has no configuration here: it is the main file.
struct StoredTenant {
  std::string id, name, config, lake, created_at, updated_at;
};

Result<std::vector<StoredTenant>> ReadTenants(pg::Connection& connection, std::stop_token stop);

/// Makes the tenant or gives it another configuration, as pcw_owner on the admin connection; true
/// if it is new. kConflict when another tenant's bronze lies in the same location, above or below
/// it.
Result<bool> PutTenant(pg::Connection& admin, const StoredTenant& tenant, std::stop_token stop);

/// The lake of the session's tenant.
struct KnownLake {
  std::optional<std::string> id;  ///< nullopt: none was used yet
  std::string seen_at;            ///< for people: its address and the machine that wrote it down
};
enum class WhenOther { kKeep, kReplace };
/// `found_id` nullopt: only reads. Else it is written down where no lake is known, and with
/// kReplace in place of another one.
Result<KnownLake> TenantLake(pg::Connection& connection, const std::optional<std::string>& found_id,
                             const std::string& seen_at, WhenOther when_other,
                             std::stop_token stop);

}  // namespace pcw::identity
