#include "pcw/tables/kept_drift.h"

#include <string>

namespace pcw::tables {

Result<std::set<connector::DriftKey>> LoadKeptDrift(pg::Connection& connection,
                                                    std::int64_t connector_id,
                                                    std::string_view entity, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"drift_kept",
                           "SELECT kind, operation, pointer, column_name, found FROM schema_drift "
                           "WHERE tenant_id = pcw_tenant() AND connector_id = $1::bigint AND "
                           "entity = $2 AND status = 'open' AND kind IN ('unknown_member', "
                           "'new_enum') ORDER BY last_seen_at DESC LIMIT 1000"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  std::set<connector::DriftKey> kept;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto kind = connector::ParseDriftKind(rows.Text(row, 0));
    if (!kind) continue;  // of a newer version
    kept.insert({.kind = *kind,
                 .operation = std::string(rows.Text(row, 1)),
                 .pointer = std::string(rows.Text(row, 2)),
                 .column = std::string(rows.Text(row, 3)),
                 .found = std::string(rows.Text(row, 4))});
  }
  return kept;
}

}  // namespace pcw::tables
