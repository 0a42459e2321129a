#include "pcw/sync/run_page.h"

namespace pcw::sync {
namespace {

// As `pcw runs list` shows a run: a running one whose lease is gone or that stands still is
// stalled.
constexpr std::string_view kRunPage = R"sql(
  SELECT * FROM (
    SELECT r.id, c.kind, r.entity, r.mode,
           CASE WHEN r.status = 'running' AND (l.run_id IS DISTINCT FROM r.id OR l.expires_at < now() OR j.stalls_at < now())
                THEN 'stalled' ELSE r.status END AS status,
           r.catalog, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.resumed_from, r.bronze_prefix, r.error_code, r.error,
           r.stats_json, r.requested_by, r.trigger
    FROM ingestion_runs r
    JOIN connectors c ON c.tenant_id = r.tenant_id AND c.id = r.connector_id
    LEFT JOIN leases l ON l.tenant_id = r.tenant_id AND l.connector_id = r.connector_id AND l.entity = r.entity
    LEFT JOIN jobs j ON j.tenant_id = r.tenant_id AND j.run_id = r.id AND j.state = 'running'
    WHERE r.tenant_id = pcw_tenant() AND ($1 = '' OR r.entity = $1) AND ($3 = '' OR r.id < nullif($3, '')::uuid)) runs
  WHERE $2 = '' OR status = $2
  ORDER BY id DESC LIMIT $4::int)sql";

}  // namespace

Result<std::vector<StoredRun>> ListRunPage(pg::Connection& connection,
                                           const RunPageRequest& request, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows, connection.Exec({"run_page", kRunPage},
                                               {request.entity, request.status, request.before_id,
                                                std::to_string(request.limit)},
                                               stop));
  std::vector<StoredRun> runs;
  for (std::size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRun(rows, row));
  return runs;
}

}  // namespace pcw::sync
