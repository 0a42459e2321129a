#include "pcw/tables/drift_store.h"

#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"

namespace pcw::tables {
namespace {

using connector::DriftCount;
using connector::DriftFindings;
using connector::DriftKey;
using connector::RateKey;
using connector::RateTallies;
using connector::RateTally;

// Beyond this many records the baseline forgets: a rate of long ago must not outvote this year's.
constexpr const char* kRemembered = "10000";

Json ToJson(const DriftKey& key, const DriftCount& count, std::string_view bronze_key) {
  const bool has_sample = count.sample_line > 0 && !bronze_key.empty();
  Json json{{"kind", NameOf(key.kind)},  {"operation", key.operation}, {"pointer", key.pointer},
            {"column_name", key.column}, {"found", key.found},         {"expected", count.expected},
            {"records", count.records}};
  if (!count.sample_record.empty()) json["sample_record"] = count.sample_record;
  if (has_sample) {
    json["bronze_key"] = bronze_key;
    json["bronze_line"] = count.sample_line;
  }
  // As text: no decimal passes through our own parser.
  if (count.baseline_rate) json["baseline_rate"] = fmt::format("{:.4f}", *count.baseline_rate);
  if (count.observed_rate) json["observed_rate"] = fmt::format("{:.4f}", *count.observed_rate);
  return json;
}

Result<RateTallies> LoadBaseline(pg::Connection& connection, const DriftScope& scope) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"drift_baseline_load",
                           "SELECT operation, is_column, name, records, hits FROM drift_baseline "
                           "WHERE tenant_id = pcw_tenant() AND connector_id = $1::bigint AND "
                           "entity = $2 AND catalog = $3"},
                          {std::to_string(scope.connector_id), std::string(scope.entity),
                           std::string(scope.catalog)}));
  RateTallies baseline;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    baseline[RateKey{std::string(rows.Text(row, 0)), rows.Bool(row, 1),
                     std::string(rows.Text(row, 2))}] = {.records = rows.Int(row, 3),
                                                         .hits = rows.Int(row, 4)};
  }
  return baseline;
}

Status AddToBaseline(pg::Connection& connection, const DriftScope& scope,
                     const RateTallies& learned) {
  if (learned.empty()) return Ok{};
  Json rates = Json::array();
  for (const auto& [key, tally] : learned) {
    rates.push_back({{"operation", key.operation},
                     {"is_column", key.is_column},
                     {"name", key.name},
                     {"records", tally.records},
                     {"hits", tally.hits}});
  }
  PCW_TRY_OK(connection.Exec(
      {"drift_baseline_add",
       "INSERT INTO drift_baseline AS b (tenant_id, connector_id, entity, catalog, operation, "
       "is_column, name, records, hits) SELECT pcw_tenant(), $1::bigint, $2, $3, r.operation, "
       "r.is_column, r.name, r.records, r.hits FROM jsonb_to_recordset($4::jsonb) AS r(operation "
       "text, is_column boolean, name text, records bigint, hits bigint) ON CONFLICT (tenant_id, "
       "connector_id, entity, catalog, operation, is_column, name) DO UPDATE SET "
       "records = excluded.records + least(b.records, $5::bigint), "
       "hits = excluded.hits + CASE WHEN b.records > $5::bigint "
       "THEN round(b.hits::numeric * $5::bigint / b.records)::bigint ELSE b.hits END, "
       "updated_at = now()"},
      {std::to_string(scope.connector_id), std::string(scope.entity), std::string(scope.catalog),
       DumpJson(rates), std::string(kRemembered)}));
  return Ok{};
}

#define PCW_DRIFT_SELECT                                                                          \
  "SELECT id, entity, kind, status, operation, pointer, column_name, found, expected, "           \
  "sample_record, bronze_key, bronze_line, first_seen_run, last_seen_run, "                       \
  "to_char(first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "                 \
  "to_char(last_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "                  \
  "baseline_rate, observed_rate, note, "                                                          \
  "to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), records "           \
  "FROM schema_drift d WHERE tenant_id = pcw_tenant() AND ($1 = '' OR entity = $1) AND ($2 = '' " \
  "OR status = $2) AND ($3 = '' OR kind = $3) "

constexpr std::string_view kSelect = PCW_DRIFT_SELECT
    "AND ($4 = '' OR id = nullif($4, '')::bigint) ORDER BY d.last_seen_at DESC, id DESC LIMIT "
    "$5::bigint";
constexpr std::string_view kPage = PCW_DRIFT_SELECT
    "AND ($4 = '' OR id < nullif($4, '')::bigint) ORDER BY id DESC LIMIT $5::bigint";

StoredFinding ReadFinding(const pg::Rows& rows, std::size_t row) {
  StoredFinding finding;
  finding.id = rows.Int(row, 0);
  std::size_t at = 1;
  for (std::string* text : {&finding.entity, &finding.kind, &finding.status, &finding.operation,
                            &finding.pointer, &finding.column, &finding.found, &finding.expected,
                            &finding.sample_record, &finding.bronze_key})
    *text = rows.Text(row, at++);
  finding.bronze_line = static_cast<int>(rows.Int(row, at++));
  for (std::string* text : {&finding.first_seen_run, &finding.last_seen_run, &finding.first_seen_at,
                            &finding.last_seen_at, &finding.baseline_rate, &finding.observed_rate,
                            &finding.note, &finding.accepted_at})
    *text = rows.Text(row, at++);
  finding.records = rows.Int(row, at);
  return finding;
}

}  // namespace

Result<std::set<DriftKey>> LoadAcceptedDrift(pg::Connection& connection, std::int64_t connector_id,
                                             std::string_view entity, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"drift_accepted",
                           "SELECT kind, operation, pointer, column_name, found FROM schema_drift "
                           "WHERE tenant_id = pcw_tenant() AND connector_id = $1::bigint AND "
                           "entity = $2 AND status = 'accepted'"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  std::set<DriftKey> accepted;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto kind = connector::ParseDriftKind(rows.Text(row, 0));
    if (!kind) continue;  // of a newer version
    accepted.insert({.kind = *kind,
                     .operation = std::string(rows.Text(row, 1)),
                     .pointer = std::string(rows.Text(row, 2)),
                     .column = std::string(rows.Text(row, 3)),
                     .found = std::string(rows.Text(row, 4))});
  }
  return accepted;
}

Status SaveDrift(pg::Connection& connection, const DriftScope& scope, std::string_view bronze_key,
                 const DriftFindings& findings) {
  if (findings.empty()) return Ok{};
  Json list = Json::array();
  for (const auto& [key, count] : findings) list.push_back(ToJson(key, count, bronze_key));
  PCW_TRY_OK(connection.Exec(
      {"drift_save",
       "INSERT INTO schema_drift AS d (tenant_id, connector_id, entity, kind, operation, pointer, "
       "column_name, found, expected, records, sample_record, bronze_key, bronze_line, "
       "baseline_rate, observed_rate, first_seen_run, last_seen_run) SELECT pcw_tenant(), "
       "$1::bigint, $2, f.kind, f.operation, f.pointer, f.column_name, f.found, f.expected, "
       "f.records, f.sample_record, f.bronze_key, f.bronze_line, f.baseline_rate, f.observed_rate, "
       "$3::uuid, $3::uuid FROM jsonb_to_recordset($4::jsonb) AS f(kind text, operation text, "
       "pointer text, column_name text, found text, expected text, records bigint, sample_record "
       "text, bronze_key text, bronze_line integer, baseline_rate numeric, observed_rate numeric) "
       "ON CONFLICT (tenant_id, connector_id, entity, kind, operation, pointer, column_name, "
       "found) DO UPDATE SET records = d.records + excluded.records, expected = "
       "excluded.expected, observed_rate = excluded.observed_rate, last_seen_run = "
       "excluded.last_seen_run, last_seen_at = now() WHERE d.status = 'open'"},
      {std::to_string(scope.connector_id), std::string(scope.entity), std::string(scope.run_id),
       StorableJson(DumpJson(list))}));
  return Ok{};
}

Status LearnDrift(pg::Connection& connection, const DriftScope& scope, const RateTallies& tallies,
                  const std::set<DriftKey>& accepted) {
  if (tallies.empty()) return Ok{};
  PCW_TRY(const RateTallies baseline, LoadBaseline(connection, scope));
  const connector::RateVerdict verdict = connector::JudgeRates(tallies, baseline, accepted);
  PCW_TRY_OK(SaveDrift(connection, scope, "", verdict.findings));
  return AddToBaseline(connection, scope, verdict.learned);
}

Result<std::vector<StoredFinding>> LoadDrift(pg::Connection& connection, const DriftFilter& filter,
                                             std::stop_token stop) {
  PCW_TRY(const pg::Rows rows, connection.Exec({"drift_load", kSelect},
                                               {filter.entity, filter.status, filter.kind,
                                                std::string(), std::to_string(filter.limit)},
                                               stop));
  std::vector<StoredFinding> findings;
  for (std::size_t row = 0; row < rows.size(); ++row) findings.push_back(ReadFinding(rows, row));
  return findings;
}

Result<std::vector<StoredFinding>> LoadDriftPage(pg::Connection& connection,
                                                 const DriftFilter& filter,
                                                 std::string_view before_id, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"drift_page", kPage},
                          {filter.entity, filter.status, filter.kind, std::string(before_id),
                           std::to_string(filter.limit)},
                          stop));
  std::vector<StoredFinding> findings;
  for (std::size_t row = 0; row < rows.size(); ++row) findings.push_back(ReadFinding(rows, row));
  return findings;
}

Result<StoredFinding> LoadDriftFinding(pg::Connection& connection, std::int64_t id,
                                       std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"drift_load", kSelect},
                          {std::string(), std::string(), std::string(), std::to_string(id), "1"},
                          stop));
  if (rows.empty())
    return Error(
        ErrorCode::kNotFound,
        fmt::format("there is no finding {}; `pcw drift list --status all` shows them", id));
  return ReadFinding(rows, 0);
}

Result<std::int64_t> AcceptDrift(pg::Connection& connection, const std::vector<std::int64_t>& ids,
                                 std::string_view entity, std::string_view note,
                                 std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "accept drift", stop));
  for (const std::int64_t id : ids) PCW_TRY_OK(LoadDriftFinding(connection, id, stop));
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"drift_accept",
               "UPDATE schema_drift SET status = 'accepted', accepted_at = now(), note = "
               "nullif($3, '') WHERE tenant_id = pcw_tenant() AND status = 'open' AND ($1 = '' OR "
               "entity = $1) AND ($2 = '[]' OR id IN (SELECT "
               "jsonb_array_elements_text($2::jsonb)::bigint))"},
              {std::string(entity), DumpJson(Json(ids)), std::string(note)}, stop));
  PCW_TRY_OK(transaction.Commit());
  return rows.affected();
}

}  // namespace pcw::tables
