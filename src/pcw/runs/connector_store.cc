#include "pcw/runs/connector_store.h"

namespace pcw::runs {

Result<std::vector<StoredConnector>> ListConnectors(pg::Connection& connection,
                                                    std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"connectors_list",
                           "SELECT id, kind, name, status FROM connectors WHERE tenant_id = "
                           "pcw_tenant() ORDER BY kind"},
                          {}, stop));
  std::vector<StoredConnector> connectors;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    connectors.push_back({.id = rows.Int(row, 0),
                          .kind = std::string(rows.Text(row, 1)),
                          .title = std::string(rows.Text(row, 2)),
                          .status = std::string(rows.Text(row, 3))});
  }
  return connectors;
}

Result<std::optional<std::int64_t>> FindConnectorId(pg::Connection& connection,
                                                    std::string_view kind, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"connector_id",
                           "SELECT id FROM connectors WHERE tenant_id = pcw_tenant() AND kind = "
                           "$1"},
                          {std::string(kind)}, stop));
  if (rows.empty()) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(rows.Int(0, 0));
}

}  // namespace pcw::runs
