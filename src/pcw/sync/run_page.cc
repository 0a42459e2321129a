#include "pcw/sync/run_page.h"

#include <fmt/format.h>

namespace pcw::sync {
namespace {

// As `pcw runs list` shows a run: a running one whose lease is gone or that stands still is
// stalled.
// The blanks: which runs, and in which order; a scan that waited in the queue may have begun after
// one that was asked for later.
constexpr std::string_view kRunPage = R"sql(
  SELECT * FROM (
    SELECT r.id, c.kind, r.entity, r.mode,
           CASE WHEN r.status = 'running' AND (l.run_id IS DISTINCT FROM r.id OR l.expires_at < now() OR j.stalls_at < now())
                THEN 'stalled' ELSE r.status END AS status,
           r.catalog, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.resumed_from, r.bronze_prefix, r.error_code, r.error,
           r.stats_json, r.requested_by, r.trigger, r.started_at
    FROM ingestion_runs r
    JOIN connectors c ON c.tenant_id = r.tenant_id AND c.id = r.connector_id
    LEFT JOIN leases l ON l.tenant_id = r.tenant_id AND l.connector_id = r.connector_id AND l.entity = r.entity
    LEFT JOIN jobs j ON j.tenant_id = r.tenant_id AND j.run_id = r.id AND j.state = 'running'
    WHERE r.tenant_id = pcw_tenant() AND ($1 = '' OR r.entity = $1) AND ($3 = '' OR r.id < nullif($3, '')::uuid){0}) runs
  WHERE $2 = '' OR status = $2
  ORDER BY {1} DESC LIMIT $4::int)sql";
constexpr std::string_view kScansOnly =
    " AND r.mode IN ('full', 'incremental') AND r.started_at <= pcw_now() + interval '1 minute'";

}  // namespace

Result<std::vector<StoredRun>> ListRunPage(pg::Connection& connection,
                                           const RunPageRequest& request, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {request.is_of_scans ? "run_page_scans" : "run_page",
               fmt::format(kRunPage, request.is_of_scans ? kScansOnly : "",
                           request.is_of_scans ? "started_at" : "id")},
              {request.entity, request.status, request.before_id, std::to_string(request.limit)},
              stop));
  std::vector<StoredRun> runs;
  for (std::size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRun(rows, row));
  return runs;
}

}  // namespace pcw::sync
