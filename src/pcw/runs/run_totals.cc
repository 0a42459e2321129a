#include "pcw/runs/run_totals.h"

namespace pcw::runs {
namespace {

std::optional<std::chrono::seconds> SecondsIn(const pg::Rows& rows, std::size_t column) {
  if (!rows.At(0, column)) return std::nullopt;
  return std::chrono::seconds(rows.Int(0, column));
}

}  // namespace

Result<std::vector<OpenRuns>> CountOpenRuns(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"metrics_open_runs",
                           "SELECT entity, status, count(*) FROM ingestion_runs WHERE tenant_id = "
                           "pcw_tenant() AND ended_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2"},
                          {}, stop));
  std::vector<OpenRuns> open;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    open.push_back(
        {std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1)), rows.Int(row, 2)});
  }
  return open;
}

Result<std::vector<EndedRuns>> SumEndedRuns(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"metrics_ended_runs",
               "SELECT entity, status, count(*), coalesce(sum((stats_json->>'records_processed')"
               "::bigint), 0), coalesce(sum((stats_json->>'api_calls')::bigint), 0), "
               "coalesce(sum((stats_json->>'throttles')::bigint), 0), "
               "coalesce(round(avg(extract(epoch FROM ended_at - started_at)), 3), 0) FROM "
               "ingestion_runs WHERE tenant_id = pcw_tenant() AND ended_at > now() - interval '24 "
               "hours' AND started_at > now() - interval '72 hours' GROUP BY 1, 2 ORDER BY 1, 2"},
              {}, stop));
  std::vector<EndedRuns> ended;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ended.push_back({.entity = std::string(rows.Text(row, 0)),
                     .status = std::string(rows.Text(row, 1)),
                     .runs = rows.Int(row, 2),
                     .records_processed = rows.Int(row, 3),
                     .api_calls = rows.Int(row, 4),
                     .throttles = rows.Int(row, 5),
                     .mean_seconds = std::string(rows.Text(row, 6))});
  }
  return ended;
}

Result<FetchRuns> SumFetchRuns(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"event_status_fetches",
               "SELECT count(*), coalesce(sum((stats_json->>'records_processed')::bigint), "
               "0)::bigint FROM ingestion_runs WHERE tenant_id = pcw_tenant() AND mode = 'fetch' "
               "AND started_at > now() - interval '24 hours'"},
              {}, stop));
  return FetchRuns{.runs = rows.Int(0, 0), .records_processed = rows.Int(0, 1)};
}

Result<EntityAge> LoadEntityAge(pg::Connection& connection, std::string_view connector_kind,
                                std::string_view entity, std::stop_token stop) {
  // A scan shows what AWS had when it began; intervals between firings tell what is promised.
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"doctor_run_ages",
           "SELECT (SELECT CASE WHEN count(*) > 0 THEN greatest(0, extract(epoch FROM pcw_now() - "
           "max(r.started_at)))::bigint END FROM "
           "ingestion_runs r JOIN connectors c ON c.tenant_id = r.tenant_id AND c.id = "
           "r.connector_id WHERE r.tenant_id = pcw_tenant() AND c.kind = $1 AND r.entity = $2 AND "
           "r.mode IN ('full', 'incremental') AND r.status IN ('succeeded', 'partial') AND "
           "r.started_at <= pcw_now() + interval '1 minute'), "
           "(SELECT min(extract(epoch FROM s.next_due - s.last_due))::bigint FROM schedules s "
           "WHERE s.tenant_id = pcw_tenant() AND s.entity = $2 AND s.last_due IS NOT NULL AND "
           "s.next_due > s.last_due), (SELECT extract(epoch FROM now() - "
           "min(s.next_due))::bigint FROM schedules s WHERE s.tenant_id = pcw_tenant() AND "
           "s.entity = $2 AND s.next_due < now())"},
          {std::string(connector_kind), std::string(entity)}, stop));
  return EntityAge{.since_complete = SecondsIn(rows, 0),
                   .interval = SecondsIn(rows, 1),
                   .overdue = SecondsIn(rows, 2)};
}

Result<FutureRuns> FindFutureRuns(pg::Connection& connection, std::string_view entity,
                                  std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"doctor_future_runs",
               "SELECT r.id, extract(epoch FROM greatest(r.started_at, r.ended_at) - "
               "pcw_now())::bigint, count(*) OVER () FROM ingestion_runs r WHERE r.tenant_id = "
               "pcw_tenant() AND r.entity = $1 AND (r.started_at > pcw_now() + interval '1 minute' "
               "OR r.ended_at > pcw_now() + interval '1 minute') ORDER BY r.started_at DESC LIMIT "
               "1"},
              {std::string(entity)}, stop));
  if (rows.empty()) return FutureRuns{};
  return FutureRuns{.newest_id = std::string(rows.Text(0, 0)),
                    .by = std::chrono::seconds(rows.Int(0, 1)),
                    .runs = rows.Int(0, 2)};
}

Result<std::vector<StoppedBySchema>> FindStoppedBySchema(pg::Connection& connection,
                                                         std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"doctor_stopped",
               "SELECT entity, id, reason, error FROM (SELECT DISTINCT ON (entity) entity, id, "
               "status, stats_json->>'reason' AS reason, error FROM ingestion_runs WHERE "
               "tenant_id = pcw_tenant() ORDER BY entity, started_at DESC, id DESC) r WHERE status "
               "= 'failed' AND reason IN ('schema_frozen', 'too_many_mismatches') ORDER BY 1"},
              {}, stop));
  std::vector<StoppedBySchema> stopped;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    stopped.push_back({.entity = std::string(rows.Text(row, 0)),
                       .run_id = std::string(rows.Text(row, 1)),
                       .reason = std::string(rows.Text(row, 2)),
                       .error = std::string(rows.Text(row, 3))});
  }
  return stopped;
}

Result<IncrementalCost> CostOfIncrementals(pg::Connection& connection, std::string_view entity,
                                           std::string_view catalog, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"plan_incremental",
               "SELECT count(*), max(calls), max(listed) FROM (SELECT "
               "(stats_json->>'api_calls')::bigint AS calls, "
               "(stats_json->>'records_listed')::bigint AS listed FROM ingestion_runs WHERE "
               "tenant_id = pcw_tenant() AND entity = $1 AND catalog = $2 AND mode = 'incremental' "
               "AND status IN ('succeeded', 'partial') ORDER BY started_at DESC LIMIT 5) latest"},
              {std::string(entity), std::string(catalog)}, stop));
  return IncrementalCost{
      .runs = rows.Int(0, 0), .most_calls = rows.Int(0, 1), .most_listed = rows.Int(0, 2)};
}

Result<ScanHistory> LoadScanHistory(pg::Connection& connection, std::string_view entity,
                                    std::string_view catalog, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"plan_history",
                           "SELECT count(watermark), max(last_full_listed) FROM cursors WHERE "
                           "tenant_id = pcw_tenant() AND entity = $1 AND catalog = $2"},
                          {std::string(entity), std::string(catalog)}, stop));
  ScanHistory history{.has_watermark = rows.Int(0, 0) > 0, .last_full_listed = std::nullopt};
  if (rows.At(0, 1)) history.last_full_listed = rows.Int(0, 1);
  return history;
}

}  // namespace pcw::runs
