#include "pcw/events/coverage.h"

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"

namespace pcw::events {
namespace {

constexpr std::string_view kJudge = R"sql(
  WITH due AS (
    DELETE FROM event_checks WHERE tenant_id = pcw_tenant() AND id IN (
      SELECT id FROM event_checks WHERE tenant_id = pcw_tenant() AND found_at < now() - $1::bigint * interval '1 millisecond'
      ORDER BY found_at LIMIT 5000 FOR UPDATE SKIP LOCKED)
    RETURNING connector_id, entity, record_key, modified_at, found_at),
  judged AS (
    SELECT connector_id, entity, date_trunc('hour', found_at) AS hour,
           EXISTS (SELECT FROM partner_events e WHERE e.tenant_id = pcw_tenant() AND e.entity = due.entity AND e.record_key = due.record_key
                   AND e.event_time >= due.modified_at - interval '5 seconds') AS is_told
    FROM due),
  counted AS (
    INSERT INTO event_coverage AS c (tenant_id, connector_id, entity, hour, told, missed)
    SELECT pcw_tenant(), connector_id, entity, hour, count(*) FILTER (WHERE is_told), count(*) FILTER (WHERE NOT is_told)
    FROM judged GROUP BY connector_id, entity, hour
    ON CONFLICT (tenant_id, connector_id, entity, hour) DO UPDATE SET told = c.told + excluded.told, missed = c.missed + excluded.missed)
  SELECT count(*) FROM due)sql";

}  // namespace

bool IsMeasured(std::string_view entity) { return entity == connector::Opportunities().name; }

Status NoteChanges(pg::Connection& connection, const tables::ChangeScope& scope,
                   std::span<const tables::LandedChange> changes, std::stop_token stop) {
  if (!IsMeasured(scope.entity)) return Ok{};
  Json list = Json::array();
  for (const tables::LandedChange& change : changes)
    list.push_back({{"k", change.id}, {"m", FormatRfc3339(change.modified_at)}});
  PCW_TRY_OK(connection.Exec(
      {"event_checks_note",
       "INSERT INTO event_checks (tenant_id, connector_id, entity, catalog, record_key, "
       "modified_at, run_id) SELECT pcw_tenant(), $1::bigint, $2, $3, landed.k, landed.m, $4::uuid "
       "FROM jsonb_to_recordset($5::jsonb) AS landed (k text, m timestamptz) WHERE landed.m >= "
       "(SELECT listening_since FROM event_inbox WHERE tenant_id = pcw_tenant())"},
      {std::to_string(scope.connector_id), std::string(scope.entity), std::string(scope.catalog),
       std::string(scope.run_id), DumpJson(list)},
      stop));
  return Ok{};
}

Result<std::int64_t> JudgeChanges(pg::Connection& connection, std::chrono::milliseconds grace,
                                  std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"event_checks_judge", kJudge}, {std::to_string(grace.count())}, stop));
  return rows.Int(0, 0);
}

Result<Coverage> LoadCoverage(pg::Connection& connection, std::chrono::hours window,
                              std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"event_coverage_sum",
                           "SELECT coalesce(sum(told), 0)::bigint, coalesce(sum(missed), "
                           "0)::bigint FROM event_coverage WHERE tenant_id = pcw_tenant() AND "
                           "hour > now() - $1::bigint * interval '1 hour'"},
                          {std::to_string(window.count())}, stop));
  return Coverage{.told = rows.Int(0, 0), .missed = rows.Int(0, 1)};
}

}  // namespace pcw::events
