#include "pcw/runs/run_page_sql.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace pcw::runs {
namespace {

// As `pcw runs list` shows a run: a running one whose lease is gone or that stands still is
// stalled.
//
// Which runs is said by pieces of the text, one statement for each set of filters that is asked
// for, and not by parameters that may be empty: with those the server plans anew at each execution
// though it may keep a plan, which costs four times what the execution does. A bound that is known
// when it plans (kMostRunsOfPage) lets it walk the index from the newest run on.
constexpr std::string_view kColumns = R"sql(
    SELECT r.id, c.kind, r.entity, r.mode,
           CASE WHEN r.status = 'running' AND (l.run_id IS DISTINCT FROM r.id OR l.expires_at < pcw_now() OR j.stalls_at < pcw_now())
                THEN 'stalled' ELSE r.status END AS status,
           r.catalog, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.resumed_from, r.bronze_prefix, r.error_code, r.error,
           r.stats_json, r.requested_by, r.trigger)sql";
constexpr std::string_view kJoins = R"sql(
    JOIN connectors c ON c.tenant_id = r.tenant_id AND c.id = r.connector_id
    LEFT JOIN leases l ON l.tenant_id = r.tenant_id AND l.connector_id = r.connector_id AND l.entity = r.entity
    LEFT JOIN jobs j ON j.tenant_id = r.tenant_id AND j.run_id = r.id AND j.state = 'running')sql";

// Whether a run is running or stalled is seen in its lease and its job only; of those there are
// few.
bool IsOfRunning(std::string_view status) { return status == "running" || status == "stalled"; }

std::string Bind(RunPageSql& select, std::string value) {
  select.params.emplace_back(std::move(value));
  return fmt::format("${}", select.params.size());
}

}  // namespace

RunPageSql SelectRunPage(const RunPageRequest& request) {
  RunPageSql select;
  std::string where = "tenant_id = pcw_tenant()";
  if (!request.entity.empty()) where += " AND entity = " + Bind(select, request.entity);
  if (!request.before_id.empty())
    where += fmt::format(" AND id < {}::uuid", Bind(select, request.before_id));
  // A scan that waited in the queue may have begun after one that was asked for later.
  const std::string_view order = request.is_of_scans ? "started_at" : "id";
  if (request.is_of_scans) {
    where +=
        " AND mode IN ('full', 'incremental') AND started_at <= pcw_now() + interval '1 minute'";
  }
  const std::string limit = Bind(select, std::to_string(request.limit)) + "::int";
  if (IsOfRunning(request.status)) {
    select.text = fmt::format(
        "SELECT * FROM ({} FROM (SELECT * FROM ingestion_runs WHERE {} AND status = 'running' AND "
        "ended_at IS NULL) r {}) runs WHERE status = {} ORDER BY id DESC LIMIT {}",
        kColumns, where, kJoins, Bind(select, request.status), limit);
    return select;
  }
  if (!request.status.empty()) where += " AND status = " + Bind(select, request.status);
  select.text = fmt::format(
      "{5} FROM (SELECT * FROM (SELECT * FROM ingestion_runs WHERE {0} ORDER BY {1} DESC LIMIT "
      "{2}) newest LIMIT {3}) r {4} ORDER BY r.{1} DESC",
      where, order, kMostRunsOfPage, limit, kJoins, kColumns);
  return select;
}

const std::string& SelectRunById() {
  static const std::string kById = fmt::format(
      "{} FROM ingestion_runs r {} WHERE r.tenant_id = pcw_tenant() AND r.id = $1::uuid", kColumns,
      kJoins);
  return kById;
}

}  // namespace pcw::runs
