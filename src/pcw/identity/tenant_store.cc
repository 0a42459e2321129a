#include "pcw/identity/tenant_store.h"

namespace pcw::identity {

Result<std::vector<StoredTenant>> ReadTenants(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"tenants_read",
                           "SELECT id, name, config, lake, to_char(created_at AT TIME ZONE 'UTC', "
                           "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(updated_at AT TIME ZONE "
                           "'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM tenants_read()"},
                          {}, stop));
  std::vector<StoredTenant> tenants;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
    tenants.push_back({text(0), text(1), text(2), text(3), text(4), text(5)});
  }
  return tenants;
}

Result<bool> PutTenant(pg::Connection& admin, const StoredTenant& tenant, std::stop_token stop) {
  if (Status role = admin.ExecScript("become_owner", "SET ROLE pcw_owner", stop); !role) {
    if (role.error().code() == ErrorCode::kUnavailable) return std::move(role).error();
    return Error(ErrorCode::kPermissionDenied,
                 "the login of database.admin_url may not become pcw_owner; a tenant is made with "
                 "the login that ran `pcw db migrate`");
  }
  const Result<pg::Rows> put =
      admin.Exec({"tenant_put", "SELECT is_new FROM tenant_put($1, $2::uuid, $3, $4)"},
                 {tenant.name, tenant.id, tenant.config, tenant.lake}, stop);
  if (put) return put->Bool(0, 0);
  if (put.error().Find("sqlstate") == "23505") {
    return Error(ErrorCode::kConflict,
                 "lake.url: another tenant's bronze lies there, above or below; every tenant needs "
                 "a bucket, prefix or directory of its own");
  }
  return put.error();
}

Result<KnownLake> TenantLake(pg::Connection& connection, const std::optional<std::string>& found_id,
                             const std::string& seen_at, WhenOther when_other,
                             std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"tenant_lake", "SELECT known_id, known_at FROM tenant_lake($1, $2, $3::boolean)"},
              {found_id, seen_at, when_other == WhenOther::kReplace ? "true" : "false"}, stop));
  KnownLake known{.id = std::nullopt, .seen_at = std::string(rows.Text(0, 1))};
  if (rows.At(0, 0)) known.id = std::string(rows.Text(0, 0));
  return known;
}

}  // namespace pcw::identity
