#include "pcw/tables/row_counts.h"

#include <fmt/format.h>

namespace pcw::tables {
namespace {

// The runbook's query, as it is written there.
constexpr std::string_view kRunbookQuery =
    "SELECT COUNT(*), "
    "SUM(CASE WHEN customer_company_name IS NULL THEN 1 ELSE 0 END) as null_company, "
    "SUM(CASE WHEN expected_revenue_usd IS NULL THEN 1 ELSE 0 END) as null_revenue "
    "FROM partnercentral_opportunities "
    "WHERE updated_at > NOW() - INTERVAL '24 hours'";

}  // namespace

// The names of tables and of their keys are compiled in.

Result<std::int64_t> CountRowsOfOtherMappings(pg::Connection& connection,
                                              const connector::EntityDef& entity, int version,
                                              std::stop_token stop) {
  const std::string name = fmt::format("doctor_old_{}", entity.name);
  const std::string sql = fmt::format(
      "SELECT count(*) FROM {} WHERE tenant_id = pcw_tenant() AND mapping_version <> $1::integer",
      entity.table);
  PCW_TRY(const pg::Rows rows, connection.Exec({name, sql}, {std::to_string(version)}, stop));
  return rows.Int(0, 0);
}

Result<OlderVersions> FindOlderVersions(pg::Connection& connection,
                                        const connector::EntityDef& entity, std::stop_token stop) {
  const std::string name = fmt::format("doctor_older_{}", entity.name);
  const std::string sql = fmt::format(
      "SELECT {}, count(*) OVER () FROM {} WHERE tenant_id = pcw_tenant() AND older_seen > 0 AND "
      "(older_seen > 1 OR source_modified_at > pcw_now() + interval '1 hour') ORDER BY 1 LIMIT 3",
      entity.id_column, entity.table);
  PCW_TRY(const pg::Rows rows, connection.Exec({name, sql}, {}, stop));
  OlderVersions older;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    older.ids.emplace_back(rows.Text(row, 0));
    older.rows = rows.Int(row, 1);
  }
  return older;
}

Result<RecentOpportunities> CountRecentOpportunities(pg::Connection& connection,
                                                     std::stop_token stop) {
  PCW_TRY(const pg::Rows rows, connection.Exec({"doctor_nulls", kRunbookQuery}, {}, stop));
  return RecentOpportunities{
      .rows = rows.Int(0, 0), .without_company = rows.Int(0, 1), .without_revenue = rows.Int(0, 2)};
}

}  // namespace pcw::tables
