// Sessions of the service role: never superuser, never owner, one tenant (I27, I28).
#pragma once

#include <string>

#include "pcw/pg/connection.h"

namespace pcw::pg {

/// What a login that is a superuser means: a finding, or a refusal.
enum class SuperuserLogin { kWarn, kRefuse };

struct ServiceSession {
  Connection connection;
  bool is_superuser_login = false;  ///< worth a warning: the login can do more than pcw ever needs
};

/// Opens a session, becomes pcw_service and sets the tenant. Refuses (kConfig) when the schema is
/// missing or of another version (naming `pcw db migrate`), when the effective role is superuser,
/// BYPASSRLS or owns a table with row level security, or when a table of tenants lacks its
/// protection (I28); kPermissionDenied with the GRANT to issue when the role cannot be assumed.
Result<ServiceSession> OpenService(const ConnectOptions& options, const std::string& tenant_id,
                                   SuperuserLogin policy, std::stop_token stop = {});

/// Makes a session of the service role one of another tenant, between two pieces of work.
Status ChangeTenant(Connection& connection, const std::string& tenant_id,
                    std::stop_token stop = {});

}  // namespace pcw::pg
