#include "pcw/dlq/replay_trial.h"

namespace pcw::dlq {

Result<std::vector<VersionedGroup>> LoadVersionedGroups(pg::Connection& connection,
                                                        std::string_view tenant_id,
                                                        std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"dead_letter_versions",
                           "SELECT fingerprint, entity, mapping_version, count(*), max(id::text) "
                           "FROM dead_letters WHERE tenant_id = $1::uuid AND state = 'open' AND "
                           "stage = 'map' AND mapping_version IS NOT NULL GROUP BY 1, 2, 3 ORDER "
                           "BY 4 DESC LIMIT 1000"},
                          {std::string(tenant_id)}, stop));
  std::vector<VersionedGroup> groups;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    groups.push_back({.fingerprint = std::string(rows.Text(row, 0)),
                      .entity = std::string(rows.Text(row, 1)),
                      .mapping_version = static_cast<int>(rows.Int(row, 2)),
                      .letters = rows.Int(row, 3),
                      .sample_id = std::string(rows.Text(row, 4))});
  }
  return groups;
}

Result<bool> ClaimTrial(pg::Connection& connection, std::string_view tenant_id,
                        std::string_view fingerprint, int mapping_version, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"replay_trial_claim",
               "INSERT INTO dead_letter_trials AS t (tenant_id, fingerprint, "
               "mapping_version) VALUES ($1::uuid, $2, $3::integer) ON CONFLICT "
               "(tenant_id, fingerprint, mapping_version) DO UPDATE SET tried_at = now() "
               "WHERE t.outcome IS NULL AND t.tried_at < now() - interval '10 minutes' "
               "RETURNING 1"},
              {std::string(tenant_id), std::string(fingerprint), std::to_string(mapping_version)},
              stop));
  return !rows.empty();
}

Status EndTrial(pg::Connection& connection, std::string_view tenant_id,
                std::string_view fingerprint, int mapping_version, std::string_view outcome) {
  PCW_TRY_OK(connection.Exec(
      {"replay_trial_end",
       "UPDATE dead_letter_trials SET outcome = nullif($4, ''), tried_at = CASE WHEN $4 = '' THEN "
       "'-infinity' ELSE now() END WHERE tenant_id = $1::uuid AND fingerprint = $2 AND "
       "mapping_version = $3::integer"},
      {std::string(tenant_id), std::string(fingerprint), std::to_string(mapping_version),
       std::string(outcome)},
      {}));
  return Ok{};
}

}  // namespace pcw::dlq
