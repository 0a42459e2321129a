#include "pcw/runs/run_store.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/base/uuid.h"
#include "pcw/runs/run_page.h"

namespace pcw::runs {
namespace {

// Every select of runs has these columns in this order.
constexpr std::string_view kListRuns = R"sql(
  SELECT r.id, c.kind, r.entity, r.mode,
         CASE WHEN r.status = 'running' AND (l.run_id IS DISTINCT FROM r.id OR l.expires_at < pcw_now() OR j.stalls_at < pcw_now())
              THEN 'stalled' ELSE r.status END,
         r.catalog, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.resumed_from, r.bronze_prefix, r.error_code, r.error,
         r.stats_json, r.requested_by, r.trigger
  FROM ingestion_runs r
  JOIN connectors c ON c.tenant_id = r.tenant_id AND c.id = r.connector_id
  LEFT JOIN leases l ON l.tenant_id = r.tenant_id AND l.connector_id = r.connector_id AND l.entity = r.entity
  LEFT JOIN jobs j ON j.tenant_id = r.tenant_id AND j.run_id = r.id AND j.state = 'running'
  WHERE ($1 = '' OR r.entity = $1) AND ($2 = '' OR r.status = $2) AND ($3 = '' OR r.id::text LIKE $3 || '%')
    AND ($4 = '' OR (r.connector_id = nullif($4, '')::bigint AND r.status IN ('failed', 'cancelled')))
    AND ($6 = '' OR (r.mode NOT IN ('replay', 'fetch') AND ($6 = 'reingest') = (r.mode = 'reingest') AND r.started_at <= pcw_now() + interval '1 minute'))
  ORDER BY r.started_at DESC, r.id DESC LIMIT $5::int)sql";

std::int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

StoredRun ReadRun(const pg::Rows& rows, std::size_t row) {
  const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
  return {.id = text(0),
          .connector = text(1),
          .entity = text(2),
          .mode = text(3),
          .status = text(4),
          .catalog = text(5),
          .started_at = text(6),
          .ended_at = text(7),
          .resumed_from = text(8),
          .bronze_prefix = text(9),
          .error_code = text(10),
          .error = text(11),
          .stats_json = text(12),
          .requested_by = text(13),
          .trigger = text(14)};
}

std::string FormatStats(const RunStats& stats) {
  OrderedJson json;
  json["records_listed"] = stats.records_listed;
  json["records_skipped"] = stats.records_skipped;
  json["records_duplicate"] = stats.records_duplicate;
  json["records_processed"] = stats.records_processed;
  json["rows_inserted"] = stats.rows_inserted;
  json["rows_updated"] = stats.rows_updated;
  json["rows_unchanged"] = stats.rows_unchanged;
  json["records_absent"] = stats.records_absent;
  json["dead_lettered"] = stats.dead_lettered;
  json["records_deferred"] = stats.records_deferred;
  json["records_missing"] = stats.records_missing;
  json["misfits"] = stats.misfits;
  json["api_calls"] = stats.api_calls;
  json["throttles"] = stats.throttles;
  json["retries"] = stats.retries;
  json["pages"] = stats.pages;
  json["parts"] = stats.parts;
  json["bytes"] = stats.bytes;
  json["elapsed_ms"] = stats.elapsed_ms;
  json["resumable"] = stats.is_resumable;
  const auto add_text = [&json](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
  };
  add_text("reason", stats.reason);
  add_text("finding", stats.finding);
  add_text("watermark_before", stats.watermark_before);
  add_text("watermark_after", stats.watermark_after);
  return StorableJson(DumpJson(json));
}

Result<std::int64_t> UpsertConnector(pg::Connection& connection, const connector::ConnectorDef& def,
                                     bool is_enabled, const std::string& config_json,
                                     std::stop_token stop) {
  // An unchanged connector is read, not rewritten: every command passes here.
  PCW_TRY(const pg::Rows found,
          connection.Exec({"connector_find",
                           "SELECT id FROM connectors WHERE tenant_id = pcw_tenant() AND kind = $1 "
                           "AND status = $2 AND "
                           "config_json = $3::jsonb"},
                          {std::string(def.kind), is_enabled ? "enabled" : "disabled", config_json},
                          stop));
  if (!found.empty()) return found.Int(0, 0);
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"connector_upsert",
                           "INSERT INTO connectors (tenant_id, kind, name, status, config_json) "
                           "VALUES (pcw_tenant(), $1, $2, $3, "
                           "$4::jsonb) ON CONFLICT (tenant_id, kind) DO UPDATE SET name = "
                           "excluded.name, status = excluded.status, "
                           "config_json = excluded.config_json, updated_at = now() RETURNING id"},
                          {std::string(def.kind), std::string(def.title),
                           is_enabled ? "enabled" : "disabled", config_json},
                          stop));
  return rows.Int(0, 0);
}

Status AbandonOlderRuns(pg::Connection& connection, std::int64_t connector_id,
                        std::string_view entity, std::int64_t fence, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"runs_abandon",
       "UPDATE ingestion_runs SET status = 'failed', ended_at = pcw_now(), error_code = "
       "'abandoned', "
       "error = 'the process that ran it ended "
       "without finishing it; run it again: what is stored is not fetched again', stats_json = "
       "stats_json || '{\"resumable\": true, "
       "\"reason\": \"abandoned\"}' WHERE tenant_id = pcw_tenant() AND connector_id = $1::bigint "
       "AND entity = $2 AND ended_at IS NULL AND "
       "status <> 'queued' AND fence < $3::bigint"},
      {std::to_string(connector_id), std::string(entity), std::to_string(fence)}, stop));
  return Ok{};
}

Status InsertRun(pg::Connection& connection, const NewRun& run, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"run_insert",
       "INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, "
       "started_at, fence, bronze_prefix, "
       "resumed_from, stats_json) VALUES (pcw_tenant(), $1::uuid, $2::bigint, $3, $4, 'running', "
       "$5, $6::timestamptz, $7::bigint, nullif($8, ''), "
       "$9::uuid, $10::jsonb) ON CONFLICT (tenant_id, id) DO NOTHING"},
      {run.id, std::to_string(run.connector_id), run.entity, std::string(NameOf(run.mode)),
       run.catalog, FormatRfc3339(run.started_at), std::to_string(run.fence), run.bronze_prefix,
       run.resumed_from, FormatStats(RunStats{})},
      stop));
  return Ok{};
}

Status BeginQueuedRun(pg::Connection& connection, const NewRun& run, std::stop_token stop) {
  // Running under our own fence: an earlier COMMIT whose answer was lost (T8).
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"run_begin",
               "UPDATE ingestion_runs SET status = 'running', started_at = "
               "$2::timestamptz, fence = $3::bigint, bronze_prefix = nullif($4, '') WHERE "
               "tenant_id = pcw_tenant() AND id = $1::uuid AND (status = 'queued' OR "
               "(status = 'running' AND fence = $3::bigint))"},
              {run.id, FormatRfc3339(run.started_at), std::to_string(run.fence), run.bronze_prefix},
              stop));
  if (rows.affected() == 1) return Ok{};
  return Error(ErrorCode::kConflict,
               "the run waits in the queue no longer; it was cancelled or begun")
      .With("run_id", run.id);
}

Status SaveStats(pg::Connection& connection, std::string_view run_id, const std::string& stats_json,
                 std::stop_token stop) {
  PCW_TRY_OK(connection.Exec({"run_stats",
                              "UPDATE ingestion_runs SET stats_json = $2::jsonb WHERE tenant_id = "
                              "pcw_tenant() AND id = $1::uuid"},
                             {std::string(run_id), stats_json}, stop));
  return Ok{};
}

Status FinishRun(pg::Connection& connection, std::string_view run_id, connector::RunStatus status,
                 const std::string& stats_json, const std::optional<Error>& error,
                 std::stop_token stop) {
  const pg::Param code = error ? pg::Param(std::string(NameOf(error->code()))) : std::nullopt;
  const pg::Param text =
      error ? pg::Param(StorableText(error->ToString(), kMostErrorBytes, LineBreaks::kKeep))
            : std::nullopt;
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"run_finish",
           "UPDATE ingestion_runs SET status = $2, ended_at = pcw_now(), stats_json = $3::jsonb, "
           "error_code = $4, error = $5 "
           "WHERE tenant_id = pcw_tenant() AND id = $1::uuid AND ended_at IS NULL"},
          {std::string(run_id), std::string(NameOf(status)), stats_json, code, text}, stop));
  if (rows.affected() == 1) return Ok{};
  return Error(ErrorCode::kConflict, "the run has ended already")
      .With("run_id", std::string(run_id));
}

Result<Cursor> LoadCursor(pg::Connection& connection, std::int64_t connector_id,
                          std::string_view entity, std::string_view catalog, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"cursor_load",
                           "SELECT (extract(epoch FROM watermark) * 1000000)::bigint, "
                           "longest_scan_ms, coalesce(last_full_listed, -1), "
                           "coalesce(shrunk_listed, -1) FROM "
                           "cursors WHERE tenant_id = pcw_tenant() AND connector_id = $1::bigint "
                           "AND entity = $2 AND catalog = $3 AND "
                           "filter_hash = ''"},
                          {std::to_string(connector_id), std::string(entity), std::string(catalog)},
                          stop));
  Cursor cursor;
  if (rows.empty()) return cursor;
  if (rows.At(0, 0)) cursor.watermark = WallTime(std::chrono::microseconds(rows.Int(0, 0)));
  cursor.longest_scan_ms = rows.Int(0, 1);
  cursor.last_full_listed = rows.Int(0, 2);
  cursor.shrunk_listed = rows.Int(0, 3);
  return cursor;
}

Status SaveCursor(pg::Connection& connection, std::int64_t connector_id, std::string_view entity,
                  std::string_view catalog, const Cursor& cursor, connector::RunMode mode,
                  std::string_view run_id, std::int64_t fence, std::stop_token stop) {
  const pg::Param watermark =
      cursor.watermark ? pg::Param(std::to_string(Micros(*cursor.watermark))) : std::nullopt;
  const bool is_full = mode == connector::RunMode::kFull;
  const auto count = [is_full](std::int64_t records) {
    return is_full && records >= 0 ? pg::Param(std::to_string(records)) : std::nullopt;
  };
  PCW_TRY_OK(connection.Exec(
      {"cursor_save",
       "INSERT INTO cursors AS c (tenant_id, connector_id, entity, catalog, "
       "watermark, longest_scan_ms, last_full_run, last_full_listed, "
       "fence, shrunk_listed) VALUES (pcw_tenant(), $1::bigint, $2, $3, 'epoch'::timestamptz + "
       "$4::bigint * interval '1 microsecond', $5::bigint, "
       "$6::uuid, $7::bigint, $8::bigint, $9::bigint) ON CONFLICT (tenant_id, connector_id, "
       "entity, catalog, filter_hash) DO UPDATE SET watermark = "
       "greatest(c.watermark, excluded.watermark), longest_scan_ms = "
       "greatest(c.longest_scan_ms, excluded.longest_scan_ms), last_full_run "
       "= coalesce(excluded.last_full_run, c.last_full_run), last_full_listed = "
       "coalesce(excluded.last_full_listed, c.last_full_listed), shrunk_listed = CASE "
       "WHEN excluded.last_full_run IS NULL THEN c.shrunk_listed ELSE "
       "excluded.shrunk_listed END, "
       "fence = excluded.fence, updated_at = now()"},
      {std::to_string(connector_id), std::string(entity), std::string(catalog), watermark,
       std::to_string(cursor.longest_scan_ms),
       is_full ? pg::Param(std::string(run_id)) : std::nullopt, count(cursor.last_full_listed),
       std::to_string(fence), count(cursor.shrunk_listed)},
      stop));
  return Ok{};
}

Result<std::vector<StoredRun>> ListRuns(pg::Connection& connection, const RunFilter& filter,
                                        std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"runs_list", kListRuns},
                          {filter.entity, filter.status, std::string(), std::string(),
                           std::to_string(filter.limit), std::string()},
                          stop));
  std::vector<StoredRun> runs;
  for (std::size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRun(rows, row));
  return runs;
}

Result<StoredRun> LoadRun(pg::Connection& connection, std::string_view id, std::stop_token stop) {
  const bool is_plain = id.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
  if (id.size() < 8 || !is_plain) {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not a run id; give the id that `pcw runs list` shows, or "
                             "its first 8 or more characters",
                             CutAtCharacter(id, 64)));
  }
  if (IsUuid(id)) {
    PCW_TRY(std::optional<StoredRun> run, FindRun(connection, id, stop));
    if (run) return std::move(*run);
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no run {}; `pcw runs list` shows the runs", id));
  }
  PCW_TRY(const pg::Rows rows, connection.Exec({"runs_list", kListRuns},
                                               {std::string(), std::string(), std::string(id),
                                                std::string(), "2", std::string()},
                                               stop));
  if (rows.empty())
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no run {}; `pcw runs list` shows the runs", id));
  if (rows.size() > 1)
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("more than one run begins with {}; give more of the id", id));
  return ReadRun(rows, 0);
}

Result<StoredRun> LatestResumableRun(pg::Connection& connection, std::int64_t connector_id,
                                     std::string_view entity, RunKind kind, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows, connection.Exec({"runs_list", kListRuns},
                                               {std::string(entity), std::string(), std::string(),
                                                std::to_string(connector_id), "1",
                                                kind == RunKind::kReingest ? "reingest" : "sync"},
                                               stop));
  if (rows.empty()) {
    return Error(
        ErrorCode::kNotFound,
        fmt::format("no failed or cancelled run of {} to resume; start without --resume", entity));
  }
  return ReadRun(rows, 0);
}

}  // namespace pcw::runs
