#include "pcw/runs/run_bronze.h"

namespace pcw::runs {
namespace {

WallTime TimeOfMicros(std::int64_t micros) { return WallTime(std::chrono::microseconds(micros)); }

std::vector<std::string> FirstColumn(const pg::Rows& rows) {
  std::vector<std::string> texts;
  texts.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) texts.emplace_back(rows.Text(row, 0));
  return texts;
}

}  // namespace

Status InsertPart(pg::Connection& connection, std::string_view run_id, const RunPart& part,
                  std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"part_insert",
       "INSERT INTO run_parts (tenant_id, run_id, part, bronze_key, sha256, bytes, records) "
       "VALUES (pcw_tenant(), $1::uuid, $2::integer, "
       "$3, decode($4, 'hex'), $5::bigint, $6::integer)"},
      {std::string(run_id), std::to_string(part.part), part.bronze_key, part.sha256_hex,
       std::to_string(part.bytes), std::to_string(part.records)},
      stop));
  return Ok{};
}

Result<std::optional<std::string>> StatsIfCommitted(pg::Connection& connection,
                                                    std::string_view run_id, int part,
                                                    std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"part_read_back",
               "SELECT r.stats_json FROM run_parts p JOIN ingestion_runs r ON r.tenant_id = "
               "p.tenant_id AND r.id = p.run_id "
               "WHERE p.tenant_id = pcw_tenant() AND p.run_id = $1::uuid AND p.part = $2::integer"},
              {std::string(run_id), std::to_string(part)}, stop));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::string(rows.Text(0, 0)));
}

Status SaveServedFrom(pg::Connection& connection, std::string_view run_id,
                      const std::string& served_at, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec({"run_served_from",
                              "UPDATE ingestion_runs SET served_from = $2::timestamptz WHERE "
                              "tenant_id = pcw_tenant() AND id = $1::uuid"},
                             {std::string(run_id), served_at}, stop));
  return Ok{};
}

Status SaveNoFolder(pg::Connection& connection, std::string_view run_id,
                    const std::string& request_ids_json, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"run_no_manifest",
       "UPDATE ingestion_runs SET bronze_prefix = NULL, stats_json = stats_json || "
       "jsonb_build_object('request_ids', $2::jsonb) WHERE tenant_id = pcw_tenant() AND id = "
       "$1::uuid"},
      {std::string(run_id), request_ids_json}, stop));
  return Ok{};
}

Result<std::vector<std::string>> NewestPartKeys(pg::Connection& connection, std::string_view entity,
                                                std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"bronze_newest_parts",
                           "SELECT p.bronze_key FROM run_parts p JOIN ingestion_runs r ON "
                           "r.tenant_id = p.tenant_id AND r.id = p.run_id WHERE p.tenant_id = "
                           "pcw_tenant() AND r.entity = $1 ORDER BY r.started_at DESC, p.part DESC "
                           "LIMIT 3"},
                          {std::string(entity)}, stop));
  return FirstColumn(rows);
}

Result<std::vector<std::string>> RecentFolders(pg::Connection& connection, std::string_view entity,
                                               std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"bronze_known_runs",
                           "SELECT bronze_prefix FROM ingestion_runs WHERE tenant_id = "
                           "pcw_tenant() AND entity = $1 AND started_at > now() - interval '4 "
                           "days' AND bronze_prefix <> ''"},
                          {std::string(entity)}, stop));
  return FirstColumn(rows);
}

Result<std::optional<std::string>> NewestRefusedWrite(pg::Connection& connection,
                                                      std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"bronze_refused_write",
               "SELECT error FROM (SELECT error_code, error FROM ingestion_runs WHERE tenant_id = "
               "pcw_tenant() AND ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1) newest "
               "WHERE error_code IS NOT NULL AND error ~ "
               "'operation=(PutObject|UploadPart|CreateMultipartUpload|CompleteMultipartUpload)'"},
              {}, stop));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::string(rows.Text(0, 0)));
}

Result<std::map<std::string, RunFolderEntry>> LoadRunFolders(pg::Connection& connection,
                                                             std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"verify_runs",
                           "SELECT id, bronze_prefix, status IN ('succeeded', 'partial') FROM "
                           "ingestion_runs WHERE tenant_id = pcw_tenant()"},
                          {}, stop));
  std::map<std::string, RunFolderEntry> folders;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    folders.emplace(rows.Text(row, 0),
                    RunFolderEntry{std::string(rows.Text(row, 1)), rows.Bool(row, 2)});
  }
  return folders;
}

Result<std::vector<std::string>> LoadPartKeys(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec(
              {"verify_parts", "SELECT bronze_key FROM run_parts WHERE tenant_id = pcw_tenant()"},
              {}, stop));
  return FirstColumn(rows);
}

Result<std::optional<std::string>> CatalogOfRun(pg::Connection& connection, std::string_view run_id,
                                                std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"reingest_catalog",
                           "SELECT catalog FROM ingestion_runs WHERE tenant_id = pcw_tenant() AND "
                           "id = $1::uuid"},
                          {std::string(run_id)}, stop));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::string(rows.Text(0, 0)));
}

Result<std::vector<StoredRunTimes>> LoadRunTimes(pg::Connection& connection,
                                                 std::int64_t connector_id, std::string_view entity,
                                                 std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"reingest_run_times",
                           "SELECT id, (extract(epoch FROM served_from) * 1000000)::bigint, "
                           "(extract(epoch FROM started_at) * 1000000)::bigint FROM "
                           "ingestion_runs WHERE tenant_id = pcw_tenant() AND connector_id = "
                           "$1::bigint AND entity = $2"},
                          {std::to_string(connector_id), std::string(entity)}, stop));
  std::vector<StoredRunTimes> times;
  times.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    StoredRunTimes run{.run_id = std::string(rows.Text(row, 0)),
                       .served_from = std::nullopt,
                       .started_at = TimeOfMicros(rows.Int(row, 2))};
    if (rows.At(row, 1)) run.served_from = TimeOfMicros(rows.Int(row, 1));
    times.push_back(std::move(run));
  }
  return times;
}

}  // namespace pcw::runs
