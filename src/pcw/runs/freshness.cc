#include "pcw/runs/freshness.h"

#include <fmt/format.h>

namespace pcw::runs {
namespace {

// A run that began later than now, by the clock of the database itself, tells nothing of the data's
// age: that clock stood wrong once, or another clock wrote it. Up to a minute is a clock that was
// set back a little.
constexpr std::string_view kFreshness = R"sql(
  SELECT e.entity, e.interval_ms, CASE WHEN good.id IS NOT NULL THEN greatest(0, extract(epoch FROM pcw_now() - good.started_at))::bigint END, good.id,
         to_char(good.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         newest.id, newest.status, newest.error_code, to_char(newest.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         open.id, open.status, future.id, to_char(c.watermark AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  FROM unnest($3::text[], $4::bigint[]) WITH ORDINALITY AS e (entity, interval_ms, n)
  LEFT JOIN LATERAL (
    SELECT r.id, r.started_at, r.ended_at FROM ingestion_runs r
    WHERE r.tenant_id = pcw_tenant() AND r.connector_id = $1::bigint AND r.entity = e.entity AND r.catalog = $2
      AND r.status IN ('succeeded', 'partial') AND r.mode IN ('full', 'incremental') AND r.started_at <= pcw_now() + interval '1 minute'
    ORDER BY r.started_at DESC LIMIT 1) good ON true
  LEFT JOIN LATERAL (
    SELECT r.id, r.status, r.error_code, r.ended_at FROM ingestion_runs r
    WHERE r.tenant_id = pcw_tenant() AND r.connector_id = $1::bigint AND r.entity = e.entity AND r.catalog = $2
      AND r.status IN ('succeeded', 'partial', 'failed') AND r.mode IN ('full', 'incremental') AND r.started_at <= pcw_now() + interval '1 minute'
    ORDER BY r.started_at DESC LIMIT 1) newest ON true
  LEFT JOIN LATERAL (
    SELECT r.id, r.status FROM ingestion_runs r
    WHERE r.tenant_id = pcw_tenant() AND r.connector_id = $1::bigint AND r.entity = e.entity AND r.ended_at IS NULL
    ORDER BY r.started_at DESC LIMIT 1) open ON true
  LEFT JOIN LATERAL (
    SELECT r.id FROM ingestion_runs r
    WHERE r.tenant_id = pcw_tenant() AND r.connector_id = $1::bigint AND r.entity = e.entity AND r.started_at > pcw_now() + interval '1 minute'
    ORDER BY r.started_at DESC LIMIT 1) future ON true
  LEFT JOIN cursors c ON c.tenant_id = pcw_tenant() AND c.connector_id = $1::bigint AND c.entity = e.entity AND c.catalog = $2 AND c.filter_hash = ''
  ORDER BY e.n)sql";

}  // namespace

std::string_view NameOf(Freshness freshness) {
  switch (freshness) {
    case Freshness::kOk:
      return "ok";
    case Freshness::kStale:
      return "stale";
    case Freshness::kFailing:
      return "failing";
    case Freshness::kNever:
      return "never";
  }
  return "never";
}

Freshness JudgeFreshness(std::optional<std::chrono::seconds> age,
                         std::chrono::milliseconds interval, bool newest_has_failed) {
  if (newest_has_failed) return Freshness::kFailing;
  if (!age) return Freshness::kNever;
  return *age > 2 * interval + std::chrono::minutes(1) ? Freshness::kStale : Freshness::kOk;
}

Result<std::vector<EntityFreshness>> LoadFreshness(pg::Connection& connection,
                                                   std::int64_t connector_id,
                                                   std::string_view catalog,
                                                   const std::vector<ExpectedEntity>& expected,
                                                   std::stop_token stop) {
  std::vector<std::string> names;
  std::vector<std::int64_t> intervals;
  for (const ExpectedEntity& one : expected) {
    names.push_back(one.entity);
    intervals.push_back(one.interval.count());
  }
  PCW_TRY(const pg::Rows rows, connection.Exec({"freshness", kFreshness},
                                               {std::to_string(connector_id), std::string(catalog),
                                                fmt::format("{{{}}}", fmt::join(names, ",")),
                                                fmt::format("{{{}}}", fmt::join(intervals, ","))},
                                               stop));
  std::vector<EntityFreshness> all;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
    EntityFreshness one{.entity = text(0),
                        .interval = std::chrono::milliseconds(rows.Int(row, 1)),
                        .freshness = Freshness::kNever,
                        .age = std::nullopt,
                        .complete_run = text(3),
                        .complete_at = text(4),
                        .ended_run = text(5),
                        .ended_status = text(6),
                        .ended_error_code = text(7),
                        .ended_at = text(8),
                        .open_run = text(9),
                        .open_status = text(10),
                        .future_run = text(11),
                        .watermark = text(12)};
    if (rows.At(row, 2)) one.age = std::chrono::seconds(rows.Int(row, 2));
    one.freshness = JudgeFreshness(one.age, one.interval, one.ended_status == "failed");
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace pcw::runs
