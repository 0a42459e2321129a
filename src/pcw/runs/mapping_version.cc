#include "pcw/runs/mapping_version.h"

#include <fmt/format.h>

namespace pcw::runs {

Status TakeMappingVersion(pg::Connection& connection, std::int64_t connector_id,
                          std::string_view entity, int version, std::string_view run_id,
                          OlderMapping older, std::stop_token stop) {
  PCW_TRY(const pg::Rows held,
          connection.Exec({"mapping_version",
                           "SELECT version, run_id FROM mapping_versions WHERE tenant_id = "
                           "pcw_tenant() AND connector_id = $1::bigint AND entity = $2"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  if (!held.empty() && held.Int(0, 0) == version) return Ok{};
  if (!held.empty() && held.Int(0, 0) > version && older == OlderMapping::kRefuse) {
    return Error(ErrorCode::kConfig,
                 fmt::format("the rows of {0} are made by version {1} of the mapping (since run "
                             "{2}), and this process has version {3}: give it the newer mapping "
                             "(connectors.partner_central.mappings), or raise the version of this "
                             "one above {1}; `pcw bronze reingest --entity {0} --older-mapping` "
                             "goes back to it for good",
                             entity, held.Int(0, 0), held.Text(0, 1), version))
        .Because(Reason::kOlderMapping);
  }
  PCW_TRY_OK(connection.Exec(
      {"mapping_version_put",
       "INSERT INTO mapping_versions (tenant_id, connector_id, entity, version, run_id) VALUES "
       "(pcw_tenant(), $1::bigint, $2, $3::integer, $4::uuid) ON CONFLICT (tenant_id, "
       "connector_id, entity) DO UPDATE SET version = excluded.version, run_id = excluded.run_id, "
       "updated_at = now()"},
      {std::to_string(connector_id), std::string(entity), std::to_string(version),
       std::string(run_id)},
      stop));
  return Ok{};
}

Result<std::optional<int>> LoadMappingVersion(pg::Connection& connection, std::string_view entity,
                                              std::stop_token stop) {
  PCW_TRY(const pg::Rows held,
          connection.Exec({"mapping_version_newest",
                           "SELECT max(version) FROM mapping_versions WHERE tenant_id = "
                           "pcw_tenant() AND entity = $1"},
                          {std::string(entity)}, stop));
  if (held.empty() || held.Text(0, 0).empty()) return std::optional<int>();
  return std::optional<int>(static_cast<int>(held.Int(0, 0)));
}

}  // namespace pcw::runs
