#include "pcw/runs/fetch_requests.h"

#include <nlohmann/json.hpp>

#include "pcw/base/assert.h"
#include "pcw/base/json.h"
#include "pcw/runs/run_request.h"

namespace pcw::runs {
namespace {

// Entities with requests that are due. A run at work would hold the lease against the new one, and
// is asked about again within a second. A sweep that waits for the lease goes first: else fetch
// after fetch would keep it out for as long as events come, and it brings what they name as well.
constexpr std::string_view kDue = R"sql(
  SELECT DISTINCT f.entity FROM fetch_requests f
  WHERE f.tenant_id = pcw_tenant() AND f.connector_id = $1::bigint AND f.catalog = $2 AND f.not_before <= now()
    AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = f.tenant_id AND j.connector_id = f.connector_id AND j.entity = f.entity
                    AND j.kind = 'fetch' AND j.state IN ('queued', 'running'))
    AND NOT EXISTS (SELECT FROM leases l WHERE l.tenant_id = f.tenant_id AND l.connector_id = f.connector_id AND l.entity = f.entity
                    AND l.run_id IS NOT NULL AND l.expires_at > now())
    AND NOT EXISTS (SELECT FROM jobs w WHERE w.tenant_id = f.tenant_id AND w.connector_id = f.connector_id AND w.entity = f.entity
                    AND w.kind = 'sync' AND w.state = 'queued' AND w.not_before <= now() + interval '2 seconds'))sql";

}  // namespace

Status AddFetchRequest(pg::Connection& connection, const FetchScope& scope, const FetchArgs& args,
                       std::stop_token stop) {
  PCW_ASSERT(args.source != nullptr && args.source->detail != nullptr);
  PCW_TRY_OK(connection.Exec(
      {"fetch_request_add",
       "INSERT INTO fetch_requests AS f (tenant_id, connector_id, entity, catalog, record_key, "
       "operation, detail_key, rank) VALUES (pcw_tenant(), $1::bigint, $2, $3, $4, $5, $6, "
       "$7::smallint) ON CONFLICT (tenant_id, connector_id, entity, catalog, record_key) DO UPDATE "
       "SET generation = f.generation + 1, operation = CASE WHEN excluded.rank >= f.rank THEN "
       "excluded.operation ELSE f.operation END, detail_key = CASE WHEN excluded.rank >= f.rank "
       "THEN excluded.detail_key ELSE f.detail_key END, rank = greatest(f.rank, excluded.rank)"},
      {std::to_string(scope.connector_id), scope.entity, scope.catalog, args.record_key,
       std::string(args.source->detail->name), args.detail_key, std::to_string(args.source->rank)},
      stop));
  return Ok{};
}

Result<std::vector<FetchRequest>> LoadFetchRequests(pg::Connection& connection,
                                                    const FetchScope& scope, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"fetch_requests_load",
               "SELECT record_key, detail_key, operation, generation FROM fetch_requests WHERE "
               "tenant_id = pcw_tenant() AND connector_id = $1::bigint AND entity = $2 AND catalog "
               "= $3 AND not_before <= now() ORDER BY requested_at, record_key LIMIT $4::integer"},
              {std::to_string(scope.connector_id), scope.entity, scope.catalog,
               std::to_string(kMostFetches)},
              stop));
  std::vector<FetchRequest> requests;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    requests.push_back({.record_key = std::string(rows.Text(row, 0)),
                        .detail_key = std::string(rows.Text(row, 1)),
                        .operation = std::string(rows.Text(row, 2)),
                        .generation = rows.Int(row, 3)});
  }
  return requests;
}

Status EndFetchRequests(pg::Connection& connection, const FetchScope& scope,
                        const std::vector<FetchRequest>& done, std::stop_token stop) {
  if (done.empty()) return Ok{};
  Json list = Json::array();
  for (const FetchRequest& request : done)
    list.push_back({{"k", request.record_key}, {"g", request.generation}});
  PCW_TRY_OK(connection.Exec(
      {"fetch_requests_end",
       "DELETE FROM fetch_requests f USING jsonb_to_recordset($4::jsonb) AS done (k text, g "
       "bigint) WHERE f.tenant_id = pcw_tenant() AND f.connector_id = $1::bigint AND f.entity = $2 "
       "AND f.catalog = $3 AND f.record_key = done.k AND f.generation = done.g"},
      {std::to_string(scope.connector_id), scope.entity, scope.catalog, DumpJson(list)}, stop));
  return Ok{};
}

Status PostponeFetchRequests(pg::Connection& connection, std::int64_t connector_id,
                             std::string_view entity, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"fetch_requests_postpone",
       "UPDATE fetch_requests SET not_before = now() + interval '5 minutes' WHERE tenant_id = "
       "pcw_tenant() AND connector_id = $1::bigint AND entity = $2"},
      {std::to_string(connector_id), std::string(entity)}, stop));
  return Ok{};
}

Result<std::vector<std::string>> RequestFetches(pg::Connection& connection,
                                                std::int64_t connector_id, std::string_view catalog,
                                                Rng& rng, Clock& clock, std::stop_token stop) {
  PCW_TRY(const pg::Rows due,
          connection.Exec({"fetch_requests_due", kDue},
                          {std::to_string(connector_id), std::string(catalog)}, stop));
  std::vector<std::string> runs;
  for (std::size_t row = 0; row < due.size(); ++row) {
    PCW_TRY(RequestedRun requested, RequestRun(connection, connector_id, catalog,
                                               {.entity = std::string(due.Text(row, 0)),
                                                .mode = connector::RunMode::kFetch,
                                                .requested_by = "events",
                                                .trigger = "event"},
                                               rng, clock, stop));
    if (requested.is_new) runs.push_back(std::move(requested.run.id));
  }
  return runs;
}

Status PruneFetchRequests(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec({"fetch_requests_prune",
                              "DELETE FROM fetch_requests WHERE tenant_id = pcw_tenant() AND "
                              "requested_at < now() - interval '22 days'"},
                             {}, stop));
  return Ok{};
}

Result<WaitingFetches> CountFetchRequests(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"fetch_requests_count",
                           "SELECT count(*), coalesce(to_char(min(requested_at) AT TIME ZONE "
                           "'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '') FROM fetch_requests "
                           "WHERE tenant_id = pcw_tenant()"},
                          {}, stop));
  return WaitingFetches{.records = rows.Int(0, 0), .oldest_at = std::string(rows.Text(0, 1))};
}

}  // namespace pcw::runs
