#include "pcw/pg/session.h"

#include <fmt/format.h>

#include "pcw/pg/migrate.h"

namespace pcw::pg {
namespace {

Status CheckSchema(Connection& connection, std::stop_token stop) {
  const int wanted = Migrations().back().version;
  PCW_TRY(
      const Rows exists,
      connection.Exec({"schema_exists", "SELECT to_regclass('public.pcw_migrations') IS NOT NULL"},
                      {}, stop));
  int found = 0;
  if (exists.Bool(0, 0)) {
    PCW_TRY(const Rows rows,
            connection.Exec(
                {"schema_version", "SELECT coalesce(max(version), 0) FROM public.pcw_migrations"},
                {}, stop));
    found = static_cast<int>(rows.Int(0, 0));
  }
  if (found == wanted) {
    PCW_TRY(const std::string missing, MissingFunctions(connection, stop));
    if (missing.empty()) return Ok{};
    return Error(ErrorCode::kConfig,
                 fmt::format("the database lacks functions of this pcw ({}): run `pcw db migrate`",
                             missing));
  }
  if (found > wanted)
    return Error(ErrorCode::kConfig,
                 fmt::format("the database is at migration {}, this pcw knows {}: use a newer pcw",
                             found, wanted));
  return Error(
      ErrorCode::kConfig,
      fmt::format("the database is at migration {} and this pcw needs {}: run `pcw db migrate`",
                  found, wanted));
}

}  // namespace

Result<ServiceSession> OpenService(const ConnectOptions& options, const std::string& tenant_id,
                                   SuperuserLogin policy, std::stop_token stop) {
  PCW_TRY(Connection connection, Connection::Open(options, stop));
  PCW_TRY_OK(CheckSchema(connection, stop));
  PCW_TRY(
      const Rows login,
      connection.Exec({"login_check",
                       "SELECT session_user, rolsuper FROM pg_roles WHERE rolname = session_user"},
                      {}, stop));
  const bool is_superuser = login.Bool(0, 1);
  if (is_superuser && policy == SuperuserLogin::kRefuse) {
    return Error(ErrorCode::kConfig,
                 fmt::format("database.strict_roles is set and the login {} is a superuser; use a "
                             "login that only has GRANT pcw_service",
                             login.Text(0, 0)));
  }
  if (Status role = connection.ExecScript("become_service", "SET ROLE pcw_service", stop); !role) {
    if (role.error().code() == ErrorCode::kUnavailable ||
        role.error().code() == ErrorCode::kCancelled)
      return std::move(role).error();
    return Error(ErrorCode::kPermissionDenied,
                 fmt::format("the login {0} may not become pcw_service; as the database's "
                             "administrator: GRANT pcw_service TO {0}",
                             login.Text(0, 0)))
        .From(Origin::kDatabase)
        .With("sqlstate", std::string(role.error().Find("sqlstate").value_or("")));
  }
  // Plans are made for the values at hand: a plan kept from when a table was still empty reads all
  // of it ever after. A process that sleeps inside a transaction must not hold its locks for longer
  // than its lease: whoever took over would wait for it.
  PCW_TRY_OK(connection.Exec({"session_settings",
                              "SELECT set_config('pcw.tenant', $1, false), "
                              "set_config('plan_cache_mode', 'force_custom_plan', false), "
                              "set_config('idle_in_transaction_session_timeout', '30s', false)"},
                             {tenant_id}, stop));
  PCW_TRY(const Rows checks,
          connection.Exec({"role_check",
                           "SELECT r.rolsuper, r.rolbypassrls, EXISTS (SELECT FROM pg_class c "
                           "WHERE c.relowner = r.oid AND c.relrowsecurity), "
                           "(SELECT string_agg(u.relation || ' lacks ' || u.lacks, '; ') FROM "
                           "pcw_unprotected() u) "
                           "FROM pg_roles r WHERE r.rolname = current_user"},
                          {}, stop));
  if (checks.Bool(0, 0) || checks.Bool(0, 1) || checks.Bool(0, 2)) {
    return Error(ErrorCode::kConfig,
                 "the role pcw_service is superuser, may bypass row level security, or owns a "
                 "tenant table; tenants would not be separated: ALTER ROLE "
                 "pcw_service NOSUPERUSER NOBYPASSRLS, and give its tables to pcw_owner");
  }
  if (checks.At(0, 3)) {
    return Error(ErrorCode::kConfig,
                 fmt::format("tenants would not be separated: {}; as pcw_owner: SELECT "
                             "pcw_protect('<table>')",
                             checks.Text(0, 3)));
  }
  return ServiceSession{std::move(connection), is_superuser};
}

Status ChangeTenant(Connection& connection, const std::string& tenant_id, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec({"change_tenant", "SELECT set_config('pcw.tenant', $1, false)"},
                             {tenant_id}, stop));
  return Ok{};
}

}  // namespace pcw::pg
